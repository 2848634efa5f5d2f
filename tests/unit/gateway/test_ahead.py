"""Commands that need the world outside: run before their unit, stored like every other."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from commands.context import AsyncContext
from commands.registry import Command, command
from core.audit import service as audit
from core.audit.model import AuditFilter
from core.kernel.envelope import Envelope
from core.kernel.principal import DEFAULT_TENANT, Principal
from core.kernel.problems import Conflict
from core.kernel.reply import Reply
from gateway.ahead import run_ahead
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.message import Message, message_of
from gateway.settings import Settings
from tests.conftest import FakeClock


class Beacon:
    """Something outside that is asked, and how often it was."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_dark = False
        self.is_refusing = False

    async def look(self, ctx: AsyncContext, name: str = "north") -> str:
        """Ask the beacon."""
        self.asked += 1
        if self.is_dark:
            await asyncio.Event().wait()
        if self.is_refusing:
            raise Conflict("the beacon is busy", fix=["try later"])
        return f"{name} shines for {ctx.principal.name}"

    def commands(self) -> tuple[Command, Command]:
        """List what can be asked of it: to look, and to note what was seen."""
        return (
            command("beacon look", examples=["beacon look"])(self.look),
            command("beacon note", danger="write", examples=["beacon note"])(self.look),
        )


@pytest.fixture
def beacon() -> Beacon:
    return Beacon()


@pytest.fixture
async def graph(tmp_path: Path, clock: FakeClock, beacon: Beacon) -> Any:
    graph = build(Settings(data=tmp_path), clock=clock)
    for each in beacon.commands():
        graph.registry.add(each)
    yield graph
    await graph.stop()


def envelope(line: str, by: Principal, key: str = "") -> Envelope:
    return Envelope(
        channel="rest",
        external_id=key,
        text=line,
        credential=by,
        received_at=datetime.now(UTC),
    )


async def say(graph: Graph, line: str, by: Principal, key: str = "") -> Reply:
    return (await graph.pipeline.handle(envelope(line, by, key))).reply


def actions(graph: Graph, by: Principal) -> list[str]:
    page = graph.db.look(lambda tx: audit.list_(tx, AuditFilter(), limit=10), by=by)
    return [each.action for each in page.items]


@pytest.mark.parametrize("verb", ["look", "note"])
async def test_what_it_says_is_answered_and_audited(
    graph: Graph, ann: Principal, verb: str
) -> None:
    reply = await say(graph, f"beacon {verb} south", ann)
    graph.db.run(lambda _: None, by=ann)

    assert reply.summary == "south shines for ann"
    assert reply.command == f"beacon {verb} south"
    assert actions(graph, ann) == [f"beacon {verb}"]


async def test_the_same_key_is_given_the_stored_answer(
    graph: Graph, ann: Principal
) -> None:
    """R-03."""
    first = await say(graph, "beacon note", ann, key="k1")
    again = await say(graph, "beacon note", ann, key="k1")

    assert (again.id, again.replayed) == (first.id, True)


async def test_a_refusal_is_answered_like_any_other(
    graph: Graph, ann: Principal, beacon: Beacon
) -> None:
    beacon.is_refusing = True

    reply = await say(graph, "beacon note", ann)

    assert reply.error is not None
    assert (reply.error.code, reply.error.fix) == ("conflict", ("try later",))


async def test_a_dry_run_asks_nobody(
    graph: Graph, ann: Principal, beacon: Beacon
) -> None:
    reply = await say(graph, "beacon note --dry-run", ann)

    assert reply.summary == "Would run beacon note"
    assert beacon.asked == 0


async def test_who_may_not_run_it_starts_nothing(graph: Graph, beacon: Beacon) -> None:
    stranger = Principal(id="x", name="x", tenant=DEFAULT_TENANT, linked=False)

    reply = await say(graph, "channel test webhook", stranger)

    assert reply.error is not None
    assert reply.error.code == "not_linked"


async def test_what_only_its_unit_understands_is_sent_back(
    graph: Graph, ann: Principal, beacon: Beacon
) -> None:
    """A button or another macro may mean such a command; it is then asked for itself."""
    graph.registry.add(
        command("again", danger="write", is_macro=True, examples=["again"])(_again)
    )

    reply = await say(graph, "again", ann)

    assert reply.error is not None
    assert reply.error.fix == ("beacon note",)
    assert beacon.asked == 0


async def test_nobody_waits_longer_than_the_deadline(
    graph: Graph, ann: Principal, beacon: Beacon
) -> None:
    beacon.is_dark = True
    message = _understood(graph, "beacon look", ann)

    await run_ahead(message, deadline=timedelta(milliseconds=20))

    assert getattr(message.outcome, "code", "") == "took_too_long"


def test_what_needs_consent_cannot_run_ahead(beacon: Beacon) -> None:
    """By the time somebody confirmed, it would have happened."""
    with pytest.raises(TypeError):
        command("beacon move", danger="risky")(beacon.look)


def _again(ctx: object) -> str:
    """Look once more."""
    return "beacon note"


def _understood(graph: Graph, line: str, by: Principal) -> Message:
    return graph.pipeline.gate.understand(message_of(envelope(line, by)))
