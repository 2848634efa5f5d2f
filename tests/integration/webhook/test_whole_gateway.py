"""Subscriptions in a whole gateway: from an event to a receiver, and what is loaded when."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import pytest

from core.delivery.outbox.model import OutboxState
from core.hooks.subscriptions import service as subscriptions
from core.kernel.principal import Principal
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.settings import OutboundSettings, Settings
from tests.receivers import Receiver, receiving, says
from tests.subscribers import a_user, found, posted, subscribed, told
from tests.tellers import LOOPBACK, stored


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
async def open_graph(tmp_path: Path) -> AsyncIterator[Callable[[str], Graph]]:
    """Build a gateway that may reach what is named; stopped in the end."""
    graphs: list[Graph] = []

    def start(allow: str) -> Graph:
        settings = Settings(
            data=tmp_path, port=0, outbound=OutboundSettings(allow=allow)
        )
        graphs.append(build(settings))
        return graphs[-1]

    yield start
    for graph in graphs:
        await graph.stop()


def subscribe(graph: Graph, url: str) -> Principal:
    ann = a_user(graph.db, "ann")
    subscribed(graph.db, ann, graph.core.vault, url=url)
    return ann


def tells(graph: Graph, by: Principal) -> bool:
    """Have something happen; on a new database, who looks begins with what comes next."""
    told(graph.db, by, "task_created", target="T-1")
    return bool(posted(graph.db, by))


def states(graph: Graph, by: Principal) -> set[OutboxState]:
    return {each.state for each in posted(graph.db, by)}


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(is_so):  # noqa: ASYNC110 - of a database
            await asyncio.sleep(0.02)


async def test_an_event_arrives_and_its_answer_is_known(
    open_graph: Callable[[str], Graph], receiver: Receiver
) -> None:
    """R-17: through the reactor, the outbox and the door, as it is put together."""
    receiver.usual = says(200, b"thanks")
    graph = open_graph(LOOPBACK)
    ann = await asyncio.to_thread(subscribe, graph, receiver.url)
    await graph.start()

    await until(lambda: tells(graph, ann))
    await until(lambda: states(graph, ann) == {OutboxState.SENT})

    assert {hit.json["type"] for hit in receiver.hits} == {"task_created"}
    attempts = partial(subscriptions.list_attempts, key=stored(graph.db).key)
    (attempt,) = await graph.db.read(attempts, by=ann)
    assert (attempt.status, attempt.answer) == (200, "thanks")


async def test_nothing_inside_is_reached_by_a_whole_gateway(
    open_graph: Callable[[str], Graph], receiver: Receiver
) -> None:
    """R-65: a name of loopback, by the resolver of this machine."""
    graph = open_graph("")
    url = f"https://localhost:{receiver.port}/"
    ann = await asyncio.to_thread(subscribe, graph, url)
    await graph.start()

    await until(lambda: tells(graph, ann))
    await until(lambda: states(graph, ann) == {OutboxState.DEAD})

    assert receiver.connections == 0
    assert "OPSWIRE_OUTBOUND__ALLOW" in stored(graph.db).fix
    assert found(graph.db, ann).failures > 0


async def test_the_door_outwards_takes_nothing_in(
    open_graph: Callable[[str], Graph],
) -> None:
    """What comes in by webhooks has a source of its own, under the same name."""
    graph = open_graph("")

    (door,) = (each for each in graph.doors if each.spec.name == "webhook")

    assert door.wire is None
    assert door.courier is not None


def test_who_has_no_subscription_loads_no_client() -> None:
    """P-9."""
    asked = "import sys, gateway.bootstrap; print('httpcore2' in sys.modules)"

    said = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True
    )

    assert said.stdout.strip() == "False"
