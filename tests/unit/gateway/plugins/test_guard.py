"""What a handler of a plugin raises is counted, and goes no further than its command."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commands.context import AsyncContext, Origin
from commands.invocation import Invocation, Options
from commands.registry import Command, command
from core.kernel.principal import DEFAULT_TENANT, Principal
from core.kernel.problems import InvalidArgument, PluginFailed, Unavailable
from core.kernel.reply import Reply
from gateway.plugins.calls import Calls
from gateway.plugins.guard import Guard
from gateway.plugins.loops import OwnLoop
from gateway.plugins.model import Fault, PluginFault

SAY = command("hello say", scope="hello:read")


class Desk:
    """A guard of one plugin, and what it was told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.noted: list[str] = []
        self.slow: list[tuple[str, float]] = []
        self.calls = Calls(lambda: self.now)
        self.loop = OwnLoop("plugin-hello")
        self.guard = Guard(
            key="file:hello",
            plugin="hello",
            edition="1",
            calls=self.calls,
            loop=self.loop,
            fault_of=_fault_of,
            failed=self.noted.append,
            slow=lambda name, seconds: self.slow.append((name, seconds)),
        )

    def command(self, handler: Callable[..., Any]) -> Command:
        handler.__doc__ = "Say hello."
        return self.guard.watch(SAY(handler))

    def watched(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        return self.command(handler).handler


def _fault_of(fault: BaseException) -> Fault:
    brief = str(fault) if isinstance(fault, PluginFault) else type(fault).__name__
    return Fault(text=repr(fault), brief=brief)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.loop.retire()


def asking(asked: Command, *scopes: str) -> AsyncContext:
    """What a handler is given when somebody with these scopes asks."""
    return AsyncContext(
        principal=Principal(
            id="U-1", tenant=DEFAULT_TENANT, name="ann", scopes=frozenset(scopes)
        ),
        invocation=Invocation(
            command=asked,
            args={},
            options=Options(),
            canonical=asked.name,
            given=frozenset(),
        ),
        origin=Origin(channel="rest"),
    )


def raising(fault: BaseException) -> Callable[..., Any]:
    def handler(ctx: object) -> None:
        raise fault

    return handler


@pytest.mark.parametrize("said", ["Hello", "", {"a": 1}, ["a"], ("a",)])
def test_what_a_handler_returns_becomes_a_reply(desk: Desk, said: object) -> None:
    reply = desk.watched(lambda _: said)(None)

    assert isinstance(reply, Reply)
    assert reply.summary
    assert desk.noted == []


def test_a_fault_is_noted_and_told_without_its_text(desk: Desk) -> None:
    asked = desk.command(raising(KeyError("secret")))

    with pytest.raises(PluginFailed) as author:
        asked.handler(asking(asked, "plugins:read"))
    with pytest.raises(PluginFailed) as other:
        asked.handler(asking(asked, "hello:read"))

    assert author.value.detail == "hello say is faulty: KeyError"
    assert other.value.detail == "hello say is faulty: plugin hello"
    assert author.value.fix == other.value.fix == ("plugin show hello",)
    assert desk.noted == ["KeyError('secret')"] * 2


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "it returned nothing; end the function with `return …`"),
        (7, "it returned an int; return a text, a dict"),
        (True, "it returned a bool; return a text"),
        ({"Ann"}, "it returned a set; return a text"),
        (b"Ann", "it returned a bytes; return a text"),
        ((each for each in "Ann"), "it returned a generator; return a text"),
        (range(3), "it returned a range; return a text"),
        ("\ud800", "its answer cannot be written as JSON: "),
        ({"names": {"Ann"}}, "its answer cannot be written as JSON: "),
        ([object()], "its answer cannot be written as JSON: "),
        ({1: "one"}, "its answer cannot be written as JSON: "),
    ],
)
def test_what_is_no_answer_is_told_to_its_author(
    desk: Desk, said: object, why: str
) -> None:
    asked = desk.command(lambda _: said)

    with pytest.raises(PluginFailed) as refused:
        asked.handler(asking(asked, "plugins:read"))

    assert refused.value.detail.startswith(f"hello say is faulty: {why}")
    assert len(desk.noted) == 1


def test_a_refusal_is_an_answer(desk: Desk) -> None:
    handler = desk.watched(raising(InvalidArgument("no", fix=["yes"])))

    with pytest.raises(InvalidArgument):
        handler(None)

    assert desk.noted == []


@pytest.mark.parametrize("fault", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_a_thread_ends_the_command_alone(
    desk: Desk, fault: BaseException
) -> None:
    with pytest.raises(PluginFailed) as milder:
        desk.watched(raising(fault))(None)

    assert milder.value.__cause__ is fault
    assert desk.noted == [repr(fault)]


@pytest.mark.parametrize("fault", [KeyError("x"), SystemExit(3)])
async def test_asynchronous_handlers_are_watched_too(
    desk: Desk, fault: BaseException
) -> None:
    async def handler(ctx: object) -> str:
        raise fault

    async def fine(ctx: object) -> str:
        return "Hello"

    with pytest.raises(PluginFailed):
        await desk.watched(handler)(None)

    assert desk.noted == [repr(fault)]
    assert (await desk.watched(fine)(None)).summary == "Hello"


async def test_who_is_cancelled_has_not_failed(desk: Desk) -> None:
    async def handler(ctx: object) -> None:
        await asyncio.sleep(3600)

    asked = asyncio.create_task(desk.watched(handler)(None))
    while not desk.loop.is_busy:  # noqa: ASYNC110 - it is told by no event
        await asyncio.sleep(0)
    asked.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asked

    assert desk.noted == []


async def test_a_handler_that_cancels_itself_has_failed(desk: Desk) -> None:
    async def handler(ctx: object) -> str:
        raise asyncio.CancelledError

    with pytest.raises(PluginFailed):
        await desk.watched(handler)(None)

    assert desk.noted == ["RuntimeError('it cancelled itself')"]


async def test_what_blocks_in_an_async_handler_blocks_no_other_loop(desk: Desk) -> None:
    is_over = threading.Event()

    async def handler(ctx: object) -> str:
        is_over.wait(20)
        return "Hello"

    asked = asyncio.create_task(desk.watched(handler)(None))
    while not desk.loop.is_busy:  # noqa: ASYNC110 - it is told by no event
        await asyncio.sleep(0)

    is_over.set()  # This loop still runs, or nobody would ever come here.

    assert (await asked).summary == "Hello"


async def test_too_many_asynchronous_calls_are_refused(desk: Desk) -> None:
    async def handler(ctx: object) -> str:
        await asyncio.sleep(3600)
        return "Hello"

    asked = desk.command(handler)
    assert asked.require_free
    waiting = [asyncio.create_task(asked.handler(None)) for _ in range(32)]
    while not desk.loop.is_full:  # noqa: ASYNC110 - it is told by no event
        await asyncio.sleep(0)

    with pytest.raises(Unavailable, match="plugin hello is busy"):
        asked.require_free()

    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


def test_only_what_takes_more_than_a_second_is_slow(desk: Desk) -> None:
    def handler(ctx: object, seconds: float) -> str:
        desk.now += seconds
        return "Hello"

    handler.__doc__ = "Say hello."
    handler = desk.watched(handler)
    handler(None, seconds=0.9)
    handler(None, seconds=6.0)

    assert desk.slow == [("hello say", 6.0)]


def test_a_command_knows_its_plugin_and_its_edition(desk: Desk) -> None:
    asked = desk.command(lambda _: "Hello")

    assert (asked.plugin, asked.edition) == ("hello", "hello@1")
