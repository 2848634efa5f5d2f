"""Calls that the project never makes, wherever they would stand."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("gateway", "channels", "commands", "core")

NEVER = {
    "eval": "text is data",
    "exec": "text is data",
    "compile": "text is data",
    "pickle.load": "unpickling runs what was sent",
    "pickle.loads": "unpickling runs what was sent",
    "marshal.loads": "unmarshalling trusts what was sent",
    "yaml.load": "it builds any object; safe_load does not",
    "os.system": "it is a shell",
    "os.popen": "it is a shell",
    "datetime.utcnow": "it is naive",
    "time.sleep": "a thread that sleeps does not hear that it should stop",
}


def calls_below(*folders: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield every call in some folders, with the place it stands at."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


@pytest.mark.parametrize("name", sorted(NEVER))
def test_product_never_calls(name: str) -> None:
    """`R-74`: nothing that turns data into code, and nothing that blocks blindly."""
    found = [
        place for place, call in calls_below(*PRODUCT) if ast.unparse(call.func) == name
    ]

    assert found == [], NEVER[name]


def test_no_process_is_started_through_a_shell() -> None:
    found = [
        place
        for place, call in calls_below(*PRODUCT, "scripts", "benchmarks", "tests")
        for keyword in call.keywords
        if keyword.arg == "shell" and ast.unparse(keyword.value) != "False"
    ]

    assert found == []


def test_no_test_sleeps() -> None:
    """A test waits for an event or moves the clock; sleeping is slow and still flaky."""
    found = [
        place
        for place, call in calls_below("tests")
        if ast.unparse(call.func) in ("time.sleep", "sleep")
    ]

    assert found == []
