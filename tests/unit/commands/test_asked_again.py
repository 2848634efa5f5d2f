"""A read that is asked for again means what it meant, unless time or person changed."""

from datetime import timedelta

import pytest

from commands.asked_again import parse_again
from commands.everything import COMMANDS
from commands.parser import parse
from commands.registry import Registry
from core.kernel.problems import UnknownFlag
from tests.unit.commands.sample import NOW

LATER = NOW + timedelta(hours=1)
REGISTRY = Registry.of(COMMANDS)


@pytest.mark.parametrize(
    "line", ["whoami", "task list --limit 20", "task list --assignee me", "T-12"]
)
def test_read_means_the_same_however_often(line: str) -> None:
    for moment in (NOW, LATER):
        again = parse_again(line, REGISTRY, now=moment, me="ann")
        assert again == parse(line, REGISTRY, now=moment, me="ann")


def test_me_is_whoever_asks() -> None:
    said = {
        me: parse_again("task list --assignee me", REGISTRY, now=NOW, me=me)
        for me in ("ann", "bob")
    }
    assert [each.args["assignee"] for each in said.values()] == ["ann", "bob"]


def test_moments_are_counted_from_now() -> None:
    first, second = (
        parse_again("task list --since 15m", REGISTRY, now=moment).args["since"]
        for moment in (NOW, LATER)
    )
    assert second - first == LATER - NOW


def test_refusal_is_repeated() -> None:
    for _ in range(2):
        with pytest.raises(UnknownFlag):
            parse_again("whoami --colour", REGISTRY, now=NOW)


def test_new_command_is_not_hidden_by_what_a_line_meant_before() -> None:
    registry = Registry.of(each for each in COMMANDS if each.name != "task list")
    before = {each.name for each in registry}
    parse_again("whoami", registry, now=NOW)
    registry.add(next(each for each in COMMANDS if each.name == "task list"))
    assert "task list" not in before
    found = parse_again("task list", registry, now=NOW)
    assert found.command.name == "task list"
