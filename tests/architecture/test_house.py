"""What a newcomer and the build rely on is there and says what it should."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")
COMMANDS = (
    "run", "setup", "test", "soak", "check", "bench", "shape", "format", "docs", "lock", "help",
)  # fmt: skip


def test_make_alone_lists_every_command() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    listed = re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_hashed_and_names_no_download_address(lock: str) -> None:
    """`R-74`: what is installed is what was locked, wherever it comes from."""
    entries = re.split(
        r"^(?=[a-z])", (ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE
    )

    unhashed = [
        entry for entry in entries if entry.strip() and "--hash=sha256:" not in entry
    ]

    assert unhashed == []
    assert not any("://" in entry or "--index" in entry for entry in entries)


@pytest.mark.parametrize("lock", LOCKS)
def test_build_backend_is_locked_too(lock: str) -> None:
    """Installing the project itself needs no network."""
    assert re.search(
        r"^setuptools==", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
    )


def test_every_dependency_is_locked() -> None:
    """What runs is in the first lock; what tests, in that of developers."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"]
    tools = [*extras.pop("testing"), *extras.pop("agents")]
    run = [
        *project["dependencies"],
        *(each for extra in extras.values() for each in extra),
    ]

    assert names_of(run) <= locked_in(LOCKS[0])
    assert names_of(tools) <= locked_in(LOCKS[1])


def names_of(wanted: list[str]) -> set[str]:
    return {re.split(r"[\[><=~]", each)[0] for each in wanted}


def locked_in(lock: str) -> set[str]:
    return set(
        re.findall(r"^([a-z0-9-]+)==", (ROOT / lock).read_text("utf-8"), re.MULTILINE)
    )


def test_scripts_can_be_run() -> None:
    scripts = [ROOT / ".ci" / "run", *(ROOT / "scripts").glob("*.sh")]

    assert all(os.access(script, os.X_OK) for script in scripts)


def test_every_ignored_rule_has_its_reason() -> None:
    """A rule that is switched off says why, on its own line."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lists = text[text.index("ignore = [") : text.index("[tool.mypy]")]

    silent = [
        line
        for line in lists.splitlines()
        if re.match(r'\s+"[A-Z]+\d', line) and "#" not in line
    ]

    assert silent == []
