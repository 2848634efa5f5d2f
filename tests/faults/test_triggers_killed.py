"""kill -9 between an event and what it sets off: each fire runs, and runs once."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from core.database import Tx
from core.delivery import received
from core.kernel.principal import system
from tests.contract.conftest import open_database
from tests.faults.gateway import GatewayProcess, client, send

EVENTS = 12
PATIENCE_SECONDS = 60.0

_log = logging.getLogger(__name__)

# Started together, they would slow each other down.
pytestmark = pytest.mark.xdist_group("postgres-faults")


async def a_trigger(http: httpx2.AsyncClient, url: str, wave: str) -> str:
    """Have each event of a wave noted on T-1 by its number."""
    made = await http.post(
        f"{url}/v1/triggers",
        json={
            "name": wave,
            "on": [f"{wave}_came"],
            "command": "task note",
            "fixed": {"task": "T-1"},
            "templates": {"text": "{event} {target}"},
        },
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def tell(
    http: httpx2.AsyncClient, urls: Sequence[str], wave: str
) -> Sequence[str]:
    """Have the events of a wave happen at once; give the notes that are to be made."""
    lines = [f"event add {wave}_came --target n{number}" for number in range(EVENTS)]
    answers = await asyncio.gather(
        *(send(http, urls[n % len(urls)], line) for n, line in enumerate(lines))
    )
    assert {each.status_code for each in answers} == {200}
    return [f"{wave}_came n{number}" for number in range(EVENTS)]


async def notes(http: httpx2.AsyncClient, url: str) -> Counter[str]:
    """Count the notes on T-1."""
    shown = (await http.get(f"{url}/collab/tasks/T-1")).json()
    return Counter(each["text"] for each in shown["notes"])


async def until_noted(
    http: httpx2.AsyncClient, url: str, wanted: Sequence[str]
) -> Counter[str]:
    """Wait until everything that was to be noted is, however often."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await notes(http, url)
        while not set(wanted) <= found.keys():
            await asyncio.sleep(0.05)
            found = await notes(http, url)
    return found


async def outcomes(
    http: httpx2.AsyncClient, url: str, trigger: str
) -> Sequence[tuple[Any, Any]]:
    """Read what became of a trigger's fires."""
    answer = await http.get(f"{url}/v1/triggers/{trigger}/fires")
    return [(each["target"], each["outcome"]) for each in answer.json()["items"]]


@pytest.mark.parametrize("kills", [4, pytest.param(100, marks=pytest.mark.soak)])
async def test_a_killed_gateway_runs_every_fire_once(
    gateway_process: GatewayProcess, kills: int
) -> None:
    """M-OMN-11, R-01, R-07: killed at any moment between the event and its note."""
    url, wanted, trigger = gateway_process.url, list[str](), ""
    async with client() as http:
        await send(http, url, "task create one")
        for number in range(kills):
            trigger = await a_trigger(http, url, f"wave{number}")
            wanted += await tell(http, [url], f"wave{number}")
            await asyncio.sleep(random.uniform(0, 0.5))
            gateway_process.kill()
            _log.info("%d waited at the kill", waiting(gateway_process))
            await asyncio.to_thread(gateway_process.start)
        found = await until_noted(http, url, wanted)
        ended = await outcomes(http, url, trigger)

    assert found == Counter(wanted)
    assert sorted(ended) == sorted((f"n{n}", "done") for n in range(EVENTS))


async def test_what_was_set_off_before_the_kill_is_run_by_the_next_one(
    gateway_process: GatewayProcess,
) -> None:
    """R-07: the row is in the inbox, its cursor has moved, and nobody has run it."""
    url = gateway_process.url
    async with client() as http:
        await send(http, url, "task create one")
        await a_trigger(http, url, "wave")
        wanted = await tell(http, [url], "wave")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await notes(http, url):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.001)
        gateway_process.kill()
        left = waiting(gateway_process)
        await asyncio.to_thread(gateway_process.start)
        found = await until_noted(http, url, wanted)

    _log.info("%d of %d were left to the next one", left, EVENTS)
    assert found == Counter(wanted)


async def test_two_gateways_set_off_and_run_each_fire_once(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-30: the events happen in both, both react, and both run what waits."""
    urls = [each.url for each in gateways]
    async with client() as http:
        created = await send(http, urls[0], "task create one")
        assert created.json()["data"]["id"] == "T-1"
        trigger = await a_trigger(http, urls[0], "both")
        wanted = await tell(http, urls, "both")
        found = await until_noted(http, urls[1], wanted)
        ended = await outcomes(http, urls[1], trigger)

    assert found == Counter(wanted)
    assert [outcome for _, outcome in ended] == ["done"] * EVENTS


def waiting(gateway: GatewayProcess) -> int:
    """Count what is in the inbox and was run by nobody."""
    db = open_database(gateway.database_url)

    def count(tx: Tx) -> int:
        return len(received.list_waiting(tx, limit=1_000, is_free_only=False))

    try:
        return db.look(count, by=system())
    finally:
        db.close()
