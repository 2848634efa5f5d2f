"""Parameters as they are read off a handler."""

from typing import Annotated, Any

import pytest

from commands.context import AsyncContext, Context
from commands.parser import parse_call
from commands.registry import Command, Registry, command
from commands.schema import Person
from tests.unit.commands.sample import NOW


@command("note add", danger="write", examples=["note add hello --as bob"])
def add(ctx: Context, text: str, *, as_: Annotated[str, Person()] = "") -> Any:
    """Write a note in somebody's name."""
    return f"{text} by {as_}"


@command("note send", danger="write", examples=["note send --from ann"])
async def send(ctx: AsyncContext, *, from_: str = "") -> Any:
    """Send notes."""
    return f"from {from_}"


def arguments(of: Command, args: dict[str, Any]) -> Any:
    registry = Registry.of([of])
    return parse_call(of.name, args, registry, now=NOW, timezone="UTC", me="ann")


def test_a_word_that_python_keeps_is_a_flag_all_the_same() -> None:
    """`as` cannot be the name of a parameter, and is the word that people expect."""
    asked = arguments(add, {"text": "hello", "as": "bob"})

    assert [each.flag for each in add.parameters] == ["--text", "--as"]
    assert asked.canonical == "note add hello --as bob"
    assert add.handler(None, **asked.args) == "hello by bob"


async def test_so_it_is_of_what_runs_ahead() -> None:
    asked = arguments(send, {"from": "ann"})

    assert send.is_async
    assert await send.handler(None, **asked.args) == "from ann"


class Odd:
    """What nobody can type."""


def test_an_argument_that_nobody_could_type_is_named() -> None:
    def handler(ctx: Context, name: str, x: Odd) -> str:
        """Say hello."""
        return name

    with pytest.raises(TypeError) as refused:
        command("hello say")(handler)

    assert str(refused.value) == (
        "hello say: the argument x is of a kind that cannot be typed: use str, int, "
        "float, bool, datetime, a Literal or a list of these"
    )
