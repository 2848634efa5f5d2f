"""An approved command runs once, on either database, whichever gateway runs it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.approvals.requests import service as requests
from core.approvals.requests.model import RequestStatus
from core.collab import tasks
from core.database import Tx
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Principal, Role, system
from core.kernel.reply import Reply
from gateway.bootstrap import build
from gateway.graph import Graph
from gateway.settings import LimitSettings, Settings

PEOPLE = ("ann", "bob", "carol", "dan")


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
def people(gateways: tuple[Graph, Graph]) -> dict[str, Principal]:
    """Operators, who exist."""

    def make(tx: Tx) -> dict[str, Principal]:
        made = (users.create(tx, name, roles=[Role.OPERATOR]) for name in PEOPLE)
        return {each.name: to_principal(each, Assurance.SECRET) for each in made}

    return gateways[0].db.run(make, by=system())


async def say(graph: Graph, by: Principal, line: str) -> Reply:
    answer = await graph.pipeline.handle(Envelope(
        channel="rest", sender=by.id, text=line, credential=by,
        assurance=by.assurance, received_at=datetime.now(UTC),
    ))  # fmt: skip
    return answer.reply


async def test_approvals_that_race_on_two_gateways_run_it_once(
    gateways: tuple[Graph, Graph], people: dict[str, Principal]
) -> None:
    """R-30: whoever is last, the command is started once, and both may run it."""
    one, two = gateways
    await say(one, system(), "approval rule set 'task create' --need 2")

    for n in range(10):
        asked = await say(one, people["ann"], f"task create m{n}")
        line = f"approve {asked.data['approval']}"
        await asyncio.gather(
            *(
                say(graph, people[name], line)
                for graph, name in ((one, "bob"), (two, "carol"), (two, "dan"))
            )
        )
        await asyncio.gather(one.intake.drain(), two.intake.drain())
    for graph in gateways:
        graph.intake.start()
        await graph.intake.settle()

    found = one.db.look(tasks.list_, by=people["ann"]).items
    assert sorted(each.title for each in found) == sorted(f"m{n}" for n in range(10))
    page = one.db.look(requests.list_, by=people["ann"]).items
    assert {each.status for each in page} == {RequestStatus.RAN}
    for graph in gateways:
        await graph.intake.stop()


async def test_asking_at_once_on_two_gateways_makes_one_request(
    gateways: tuple[Graph, Graph], people: dict[str, Principal]
) -> None:
    one, two = gateways
    await say(one, system(), "approval rule set 'task create' --need 2")

    asked = await asyncio.gather(
        *(say(graph, people["ann"], "task create same") for graph in (one, two) * 4)
    )

    assert {each.data["approval"] for each in asked} == {"AP-1"}
