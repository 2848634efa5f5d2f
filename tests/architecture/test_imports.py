"""Import rules that a contract cannot say, because they list what IS allowed."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

IO_MODULES = frozenset(
    {
        "asyncio",
        "ftplib",
        "http",
        "imaplib",
        "multiprocessing",
        "os",
        "pathlib",
        "poplib",
        "selectors",
        "shutil",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "urllib.request",
    }
)
ARGUED = {
    ("ids.py", "os"): "ids draw random bits from the system",
    ("ids.py", "threading"): "each thread draws its own block of them",
}


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names a file imports, wherever in it they stand."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_plain(name: str) -> bool:
    """Tell whether a module is of the standard library and does no I/O."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names and not {name, top} & IO_MODULES


def test_contracts_hold() -> None:
    """No layer reaches up, no sibling sideways, no framework into core."""
    lint = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout


def test_kernel_knows_words_only() -> None:
    for path in (ROOT / "core" / "kernel").glob("*.py"):
        for name in imports_of(path):
            if (path.name, name) in ARGUED:
                continue
            is_allowed = name.startswith("core.kernel") or name in (
                "orjson",
                "pydantic",
            )
            assert is_allowed or is_plain(name), f"{path.name}: {name}"


def parts_of(module: Path) -> set[Path]:
    """List a channel's module with those of its own folder that it is made of."""
    found, wanted = set[Path](), {module}
    while wanted:
        found |= wanted
        names = {name for each in wanted for name in imports_of(each)}
        own = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in names}
        wanted = {each for each in own if each.parent == module.parent} - found
    return found


@pytest.mark.parametrize("wire", sorted((ROOT / "channels").rglob("wire.py")), ids=str)
def test_wire_modules_are_pure(wire: Path) -> None:
    """A `wire.py` and its parts parse and render; they can neither send nor store."""
    package = f"channels.{wire.parent.name}"
    words = ("core.kernel", f"{package}.")
    for path in parts_of(wire):
        for name in imports_of(path):
            is_ours = name.startswith(words) or name in ("channels.base", package)
            assert is_ours or is_plain(name), f"{path}: {name}"


@pytest.mark.parametrize("extra", ["psycopg", "redis", "hiredis"])
def test_extra_is_not_needed_to_start(extra: str) -> None:
    """Without the Postgres and Redis extras the gateway still imports and runs."""
    code = f"import sys; sys.modules[{extra!r}] = None; import gateway.__main__, gateway.bootstrap"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
