"""Completion in a real shell against a real gateway."""

import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from tests.unit.gateway.cli.test_with_gateway import Program, program

__all__ = ["program"]

BASH = """
source <(ops completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_ops
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def tab(program: Program, tmp_path: Path) -> "Tab":
    """Press Tab in bash, after some words."""
    shim = tmp_path / "ops"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gateway "$@"\n')
    shim.chmod(0o755)
    return Tab(program, tmp_path)


class Tab:
    """A bash in which completion was sourced."""

    def __init__(self, program: Program, folder: Path) -> None:
        path = f"{folder}:{program.environ['PATH']}"
        self._environ = {**program.environ, "PATH": path}

    def __call__(self, *words: str) -> list[str]:
        done = subprocess.run(
            [which("bash") or "bash", "-c", BASH, "bash", "ops", *words],
            cwd=Path(__file__).parents[4],
            env=self._environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split()


def test_names_of_commands(tab: Tab) -> None:
    assert "task" in tab("ta")
    assert tab("task", "cl") == ["claim"]
    assert tab("ba") == ["backup"]


def test_live_ids_and_flags(program: Program, tab: Tab) -> None:
    made = program.run("task", "create", "one", "-o", "id").stdout.strip()

    assert made in tab("claim", "T-")
    assert made in tab("task", "show", made.lower()[:-1])
    assert tab("task", "list", "--sta") == ["--status"]


def test_values_of_a_flag_however_bash_parts_it(tab: Tab) -> None:
    assert tab("task", "list", "--status", "rev") == ["review"]
    assert tab("task", "list", "--status", "=", "rev") == ["review"]
    assert "review" in tab("task", "list", "--status", "=")


def test_values_of_a_flag_in_one_word(tab: Tab) -> None:
    """As zsh and fish hand it over."""
    assert tab("task", "list", "--status=rev") == ["--status=review"]
