"""What a handler of a plugin raises is counted, and goes no further than its command."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from commands.registry import command
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from gateway.plugins.guard import guarded

SAY = command("hello say", scope="hello:read")


def watched(handler: Callable[..., Any]) -> tuple[Callable[..., Any], list[str]]:
    handler.__doc__ = "Say hello."
    noted: list[str] = []
    asked = guarded(SAY(handler), lambda fault: noted.append(repr(fault)))
    return asked.handler, noted


def raising(fault: BaseException) -> Callable[..., Any]:
    def handler(ctx: object) -> None:
        raise fault

    return handler


@pytest.mark.parametrize("said", ["Hello", {"a": 1}, ["a"]])
def test_what_a_handler_returns_becomes_a_reply(said: object) -> None:
    handler, noted = watched(lambda _: said)

    assert isinstance(handler(None), Reply)
    assert noted == []


def test_a_fault_is_noted_and_goes_on() -> None:
    handler, noted = watched(raising(KeyError("x")))

    with pytest.raises(KeyError):
        handler(None)

    assert noted == ["KeyError('x')"]


def test_what_no_command_can_return_is_a_fault() -> None:
    handler, noted = watched(lambda _: None)

    with pytest.raises(TypeError):
        handler(None)

    assert noted == ["TypeError('a command cannot return NoneType')"]


@pytest.mark.parametrize("said", [{"names": {"Ann"}}, [object()], {1: "one"}])
def test_what_cannot_be_written_as_json_is_a_fault(said: object) -> None:
    handler, noted = watched(lambda _: said)

    with pytest.raises(TypeError):
        handler(None)

    assert len(noted) == 1


def test_a_refusal_is_an_answer() -> None:
    handler, noted = watched(raising(InvalidArgument("no", fix=["yes"])))

    with pytest.raises(InvalidArgument):
        handler(None)

    assert noted == []


@pytest.mark.parametrize("fault", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_a_thread_ends_the_command_alone(fault: BaseException) -> None:
    handler, noted = watched(raising(fault))

    with pytest.raises(RuntimeError, match="hello say ended with") as milder:
        handler(None)

    assert milder.value.__cause__ is fault
    assert noted == [repr(fault)]


async def test_asynchronous_handlers_are_watched_too() -> None:
    async def handler(ctx: object) -> str:
        raise KeyError("x")

    watching, noted = watched(handler)

    with pytest.raises(KeyError):
        await watching(None)

    assert noted == ["KeyError('x')"]


async def test_who_is_cancelled_has_not_failed() -> None:
    async def handler(ctx: object) -> str:
        raise asyncio.CancelledError

    watching, noted = watched(handler)

    with pytest.raises(asyncio.CancelledError):
        await watching(None)

    assert noted == []
