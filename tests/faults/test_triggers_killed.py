"""kill -9 between an event and what it sets off: each fire runs, and runs once."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Some events of one type, each of which is to be noted once on a task."""

    name: str
    task: str
    trigger: str

    @property
    def lines(self) -> Sequence[str]:
        """What makes the events happen."""
        return [f"event add {self.name}_came --target n{n}" for n in range(EVENTS)]

    @property
    def notes(self) -> Counter[str]:
        """What is to be noted in the end, each once."""
        return Counter(f"{self.name}_came n{n}" for n in range(EVENTS))


async def a_wave(http: httpx2.AsyncClient, url: str, name: str) -> Wave:
    """Make a task, and a trigger that notes each event of a type on it."""
    created = await send(http, url, f"task create {name}")
    task = str(created.json()["data"]["id"])
    made = await http.post(
        f"{url}/v1/triggers",
        json={
            "name": name,
            "on": [f"{name}_came"],
            "command": "task note",
            "fixed": {"task": task},
            "templates": {"text": "{event} {target}"},
        },
    )
    assert made.status_code == 201, made.text
    return Wave(name=name, task=task, trigger=str(made.json()["id"]))


async def tell(http: httpx2.AsyncClient, urls: Sequence[str], wave: Wave) -> None:
    """Have the events of a wave happen at once, in turns by each gateway."""
    answers = await asyncio.gather(
        *(send(http, urls[n % len(urls)], line) for n, line in enumerate(wave.lines))
    )
    assert {each.status_code for each in answers} == {200}


async def notes(http: httpx2.AsyncClient, url: str, wave: Wave) -> Counter[str]:
    """Count what was noted."""
    shown = (await http.get(f"{url}/collab/tasks/{wave.task}")).json()
    return Counter(each["text"] for each in shown["notes"])


async def until_noted(http: httpx2.AsyncClient, url: str, wave: Wave) -> Counter[str]:
    """Wait until everything that was to be noted is, however often."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await notes(http, url, wave)
        while not wave.notes.keys() <= found.keys():
            await asyncio.sleep(0.05)
            found = await notes(http, url, wave)
    return found


async def outcomes(http: httpx2.AsyncClient, url: str, wave: Wave) -> Sequence[Any]:
    """Read what became of a wave's fires."""
    answer = await http.get(f"{url}/v1/triggers/{wave.trigger}/fires")
    return [each["outcome"] for each in answer.json()["items"]]


@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.soak)])
async def test_a_killed_gateway_runs_every_fire_once(
    gateway_process: GatewayProcess, kills: int
) -> None:
    """M-OMN-11, R-01, R-07: killed at any moment between the event and its note."""
    url, waves = gateway_process.url, list[Wave]()
    async with client() as http:
        for number in range(kills):
            waves.append(await a_wave(http, url, f"wave{number}"))
            await tell(http, [url], waves[-1])
            await asyncio.sleep(random.uniform(0, 0.5))
            gateway_process.kill()
            _log.info("%d waited at the kill", waiting(gateway_process))
            await asyncio.to_thread(gateway_process.start)

        for wave in waves:
            assert await until_noted(http, url, wave) == wave.notes
            assert await outcomes(http, url, wave) == ["done"] * EVENTS


async def test_what_was_set_off_before_the_kill_is_run_by_the_next_one(
    gateway_process: GatewayProcess,
) -> None:
    """R-07: the row is in the inbox, its cursor has moved, and nobody has run it."""
    url = gateway_process.url
    async with client() as http:
        wave = await a_wave(http, url, "wave")
        await tell(http, [url], wave)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await notes(http, url, wave):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.001)
        gateway_process.kill()
        left = waiting(gateway_process)
        await asyncio.to_thread(gateway_process.start)
        found = await until_noted(http, url, wave)

    _log.info("%d of %d were left to the next one", left, EVENTS)
    assert found == wave.notes


async def test_two_gateways_set_off_and_run_each_fire_once(
    gateways: Sequence[GatewayProcess],
) -> None:
    """R-30: the events happen in both, both react, and both run what waits."""
    urls = [each.url for each in gateways]
    async with client() as http:
        wave = await a_wave(http, urls[0], "both")
        await tell(http, urls, wave)
        found = await until_noted(http, urls[1], wave)
        ended = await outcomes(http, urls[1], wave)

    assert found == wave.notes
    assert ended == ["done"] * EVENTS


def waiting(gateway: GatewayProcess) -> int:
    """Count what is in the inbox and was run by nobody."""
    db = open_database(gateway.database_url)

    def count(tx: Tx) -> int:
        return len(received.list_waiting(tx, limit=1_000, is_free_only=False))

    try:
        return db.look(count, by=system())
    finally:
        db.close()
