"""Writes that touch one thing or many: consent follows what was asked for."""

from datetime import UTC, datetime
from typing import Any

import pytest

from commands.confirm import danger_of, is_harmless
from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Command, Danger, Registry, command


def a_command(danger: str = "write") -> Command:
    @command("box empty", danger=danger, bulk=("every",), examples=["box empty 1"])
    def empty(ctx: Any, box: str = "", *, every: bool = False, dry: str = "") -> str:
        """Empty a box, or every one."""
        return box

    return empty


def asked(line: str, danger: str = "write") -> Invocation:
    registry = Registry.of([a_command(danger)])
    now = datetime(2026, 11, 4, tzinfo=UTC)
    return parse(line, registry, now=now, timezone="UTC", me="ann")


@pytest.mark.parametrize(
    ("line", "danger"),
    [
        ("box empty 1", Danger.WRITE),
        ("box empty 1 --dry x", Danger.WRITE),
        ("box empty --every", Danger.RISKY),
        ("box empty 1 --every", Danger.RISKY),
    ],
)
def test_what_is_bulk_is_risky(line: str, danger: Danger) -> None:
    found = asked(line)

    assert danger_of(found) is danger
    assert is_harmless(found) == (danger is Danger.WRITE)


@pytest.mark.parametrize("danger", ["read", "risky", "destructive"])
def test_nothing_else_is_raised_or_lowered(danger: str) -> None:
    assert danger_of(asked("box empty --every", danger)) is Danger(danger)


def test_people_are_told_by_which_flags() -> None:
    assert a_command().dangers == "write (risky with --every)"
