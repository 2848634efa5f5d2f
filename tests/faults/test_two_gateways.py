"""Two gateway processes on one Postgres: as good as one, and as safe."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from functools import partial
from uuid import uuid4

import httpx2
import pytest

from core.database import Database
from core.events import service as events
from core.kernel.principal import system
from tests.contract.conftest import open_database
from tests.faults.gateway import GatewayProcess, client, send
from tests.faults.load import Load, check_stored
from tests.faults.writers import start_writers
from tests.services import PostgresServer

WRITERS, EACH, TAILS = 8, 60, 20

pytestmark = pytest.mark.xdist_group("postgres-faults")


async def test_no_update_is_lost_between_processes(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-21, R-30: eight clients; each accepted change built on the one before it."""
    async with client() as http:
        answer = await send(http, gateways[0].url, "task create contested")
        task, start = answer.json()["data"]["id"], answer.json()["data"]["etag"]
        chains = await asyncio.gather(
            *(
                change_often(http, f"{gateways[n % 2].url}/collab/tasks/{task}", start)
                for n in range(8)
            )
        )
        shown = await http.get(f"{gateways[1].url}/collab/tasks/{task}")

    pairs = [pair for chain in chains for pair in chain]
    after = dict(pairs)
    assert len(after) == len(pairs)
    tag = start
    while tag in after:
        tag = after.pop(tag)
    assert (tag, after) == (shown.json()["etag"], {})


async def test_one_key_sent_to_both_has_one_effect(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-03, R-30: twenty rounds, four requests at once."""
    urls = [each.url for each in gateways] * 2
    async with client() as http:
        for number in range(20):
            line, key = f"task create m{number}", f"k{number}"
            found = await asyncio.gather(
                *(send(http, url, line, key=key) for url in urls)
            )
            assert {each.status_code for each in found} == {200}
            assert len({each.json()["id"] for each in found}) == 1
        listed = await http.get(f"{urls[1]}/collab/tasks?limit=100")

    titles = Counter(row["title"] for row in listed.json()["items"])
    assert [titles[f"m{number}"] for number in range(20)] == [1] * 20


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.soak)])
async def test_a_database_server_that_dies_loses_nothing(
    gateways: Sequence[GatewayProcess], postgres_server: PostgresServer,
    migrated_url: str, kills: int,
) -> None:  # fmt: skip
    """R-43: the gateways refuse meanwhile and heal without a restart."""
    load = Load([each.url for each in gateways], name="server")

    async with load.running():
        for _ in range(kills):
            await asyncio.sleep(random.uniform(0.3, 1.2))
            await asyncio.to_thread(postgres_server.stop, "immediate")
            await asyncio.sleep(random.uniform(0.1, 0.5))
            await asyncio.to_thread(postgres_server.start)
        await load.more(32)

    check_stored(load, migrated_url)


@pytest.mark.parametrize("kills", [1, pytest.param(20, marks=pytest.mark.soak)])
async def test_a_killed_gateway_leaves_the_other_at_work(
    gateways: Sequence[GatewayProcess], migrated_url: str, kills: int
) -> None:
    """R-01, R-30: clients go to the other one with the same key."""
    load = Load([each.url for each in gateways], name="gateway")

    async with load.running():
        for _ in range(kills):
            await asyncio.sleep(random.uniform(0.1, 0.6))
            gateways[0].kill()
            await load.more(32)
            await asyncio.to_thread(gateways[0].start)

    check_stored(load, migrated_url)


async def test_twenty_tails_miss_nothing_of_eight_processes(migrated_url: str) -> None:
    """M-EVT: ids that commit out of order would be missed; numbers under a lock are not."""
    writing = start_writers(migrated_url, WRITERS, EACH)
    db = open_database(migrated_url)
    first = db.look(events.last_seq, by=system())

    async with asyncio.timeout(60):
        found = await asyncio.gather(*(tail(db, first) for _ in range(TAILS)))

    assert writing.wait(timeout=10) == 0
    for seen in found:
        assert seen == list(range(first + 1, first + WRITERS * EACH + 1))
    db.close()


async def tail(db: Database, first: int) -> Sequence[int]:
    """Follow the events from a number on until all writers' have come."""
    seen = [first]
    while len(seen) <= WRITERS * EACH:
        follow = partial(events.list_after, seq=seen[-1], limit=7)
        seen += [each.seq for each in await db.read(follow, by=system())]
    return seen[1:]


async def change_often(
    http: httpx2.AsyncClient, url: str, tag: str
) -> Sequence[tuple[str, str]]:
    """Change the task twelve times on top of the newest; return (old, new) tags."""
    accepted = []
    for _ in range(12):
        answer = await http.patch(
            url, headers={"If-Match": f'"{tag}"'}, json={"title": f"after {uuid4()}"}
        )
        if answer.status_code == 200:
            accepted.append((tag, str(answer.json()["etag"])))
        else:
            assert answer.status_code == 412, answer.text
        tag = (await http.get(url)).json()["etag"]
    return accepted
