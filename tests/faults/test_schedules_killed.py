"""kill -9 between a moment and what it runs: each moment runs, and runs once."""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import httpx2
import pytest

from tests.faults.gateway import GatewayProcess, client, send

MOMENTS = 12
PATIENCE_SECONDS = 60.0

_log = logging.getLogger(__name__)

# Started together, they would slow each other down.
pytestmark = pytest.mark.xdist_group("postgres-faults")


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Some moments soon to come, each of which is to be noted once on a task."""

    task: str
    schedules: Sequence[str]

    @property
    def notes(self) -> Counter[str]:
        """What is to be noted in the end, each once."""
        return Counter(f"n{number}" for number in range(MOMENTS))


async def a_round(http: httpx2.AsyncClient, url: str) -> Round:
    """Make a task, and schedules that note something on it a second or two from now."""
    created = await send(http, url, "task create rounds")
    task = str(created.json()["data"]["id"])
    answers = await asyncio.gather(
        *(
            http.post(
                f"{url}/schedule",
                json={"line": f"task note {task} n{n}", "at": f"{1 + n // 4}s"},
            )
            for n in range(MOMENTS)
        )
    )
    assert {each.status_code for each in answers} == {201}
    return Round(task=task, schedules=[str(each.json()["id"]) for each in answers])


async def notes(http: httpx2.AsyncClient, url: str, made: Round) -> Counter[str]:
    """Count what was noted."""
    shown = (await http.get(f"{url}/collab/tasks/{made.task}")).json()
    return Counter(each["text"] for each in shown["notes"])


async def until_noted(http: httpx2.AsyncClient, url: str, made: Round) -> Counter[str]:
    """Wait until everything that was to be noted is, however often."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        found = await notes(http, url, made)
        while not made.notes.keys() <= found.keys():
            await asyncio.sleep(0.05)
            found = await notes(http, url, made)
    return found


async def states(http: httpx2.AsyncClient, url: str, made: Round) -> list[list[str]]:
    """Read what became of each schedule's moments."""
    found = []
    for each in made.schedules:
        items = (await http.get(f"{url}/schedule/{each}/ticks")).json()["items"]
        found.append([str(tick["state"]) for tick in items])
    return found


@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.soak)])
async def test_a_killed_gateway_runs_every_moment_once(
    gateway_process: GatewayProcess, kills: int
) -> None:
    """M-JOB-06, R-01, R-27: killed at any time between a moment and its run."""
    url, rounds = gateway_process.url, list[Round]()
    async with client() as http:
        for _ in range(kills):
            rounds.append(await a_round(http, url))
            await asyncio.sleep(random.uniform(0.5, 3))
            gateway_process.kill()
            _log.info("killed")
            await asyncio.to_thread(gateway_process.start)

        for made in rounds:
            assert await until_noted(http, url, made) == made.notes
            assert await states(http, url, made) == [["done"]] * MOMENTS


async def test_two_gateways_run_each_moment_once(
    gateways: Sequence[GatewayProcess],
) -> None:
    """M-JOB-06, R-27, R-30: both look, and one of them is killed on the way."""
    first, second = gateways[0], gateways[1]
    async with client() as http:
        made = await a_round(http, first.url)
        await asyncio.sleep(random.uniform(0.5, 2.5))
        first.kill()
        found = await until_noted(http, second.url, made)
        ended = await states(http, second.url, made)

    assert found == made.notes
    assert ended == [["done"]] * MOMENTS
