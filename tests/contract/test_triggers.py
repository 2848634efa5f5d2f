"""What sets a trigger off runs its command once, on either database, whoever looks."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.collab import tasks
from core.database import Tx
from core.events import service as events
from core.hooks.model import PayloadMap
from core.hooks.triggers import fires
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import parse_when
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Principal, Role, system
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.settings import LimitSettings, Settings

EVENTS = 20


@pytest.fixture
def gateways(tables_url: str, tmp_path: Path) -> Iterator[tuple[Graph, Graph]]:
    """Two gateways on one database, each with a writer of its own."""
    settings = Settings(
        database_url=tables_url, data=tmp_path,
        limits=LimitSettings(default="100000000/minute"),
    )  # fmt: skip
    graphs = build(settings), build(settings)
    yield graphs
    for graph in graphs:
        graph.db.close()


@pytest.fixture
def ann(gateways: tuple[Graph, Graph]) -> Principal:
    """Somebody with a trigger that makes a task of each deployment."""

    def make(tx: Tx) -> Principal:
        ann = users.create(tx, "ann", roles=[Role.ADMIN])
        tx.principal = to_principal(ann, Assurance.SECRET)
        rule = PayloadMap(
            command="task create", arguments={"title": "target"}, filter="target"
        )
        triggers.create(tx, "file", parse_when(["web_deployed"]), rule)
        return tx.principal

    return gateways[0].db.run(make, by=system())


async def settle(gateways: tuple[Graph, Graph]) -> None:
    """Have both react and both run what waits, at the same time."""
    await asyncio.gather(*(each.outward.reactor.react_to_news() for each in gateways))
    await asyncio.gather(*(each.intake.drain() for each in gateways))
    for each in gateways:
        await each.intake.settle()


async def test_each_event_makes_one_task(
    gateways: tuple[Graph, Graph], ann: Principal
) -> None:
    """M-OMN-11, R-07, R-30."""
    await settle(gateways)
    for graph in gateways:
        graph.intake.start()

    for number in range(EVENTS):
        graph = gateways[number % 2]
        line = f"event add web_deployed --target web-{number}"
        await graph.pipeline.handle(Envelope(
            channel="rest", sender=ann.id, text=line, credential=ann,
            assurance=ann.assurance, received_at=datetime.now(UTC),
        ))  # fmt: skip
        await settle(gateways)

    found = gateways[0].db.look(tasks.list_, by=ann).items
    assert sorted(each.title for each in found) == sorted(
        f"web-{number}" for number in range(EVENTS)
    )
    page = gateways[1].db.look(lambda tx: fires.list_(tx, "G-1"), by=ann)
    told = gateways[1].db.look(lambda tx: events.list_last(tx, limit=1_000), by=ann)
    causes = {each.cause for each in told if each.type == "task_created"}
    assert causes == {each.request_id for each in page.items}
    for graph in gateways:
        await graph.intake.stop()
