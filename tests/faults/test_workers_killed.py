"""Workers that are killed, stopped and left: every run ends, and none is done twice."""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import update

from core.database import Tx, open_engine
from core.database.migrate import upgrade
from core.events import service as events
from core.events.model import Event
from core.kernel.lanes import Lane
from core.kernel.problems import Unavailable
from core.runs.lanes import service as lanes
from core.runs.model import Backoff, RetryRule, Run, RunStatus
from core.runs.tables import runs
from tests.contract.workers.stands import (
    ANN,
    Stand,
    WorkerProcess,
    effect,
    effects,
    shell,
)
from tests.services import PostgresServer, RedisProcess

pytestmark = pytest.mark.xdist_group("workers-faults")

STUBBORN = RetryRule(max_attempts=50, backoff=Backoff.NONE, base=timedelta())
KEYS, KEY_LIMIT, LANE_LIMIT = 4, 2, 5
_ENDS = ("run_succeeded", "run_failed", "run_cancelled", "run_queued", "run_lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of a trial there is."""

    workers: int
    runs: int
    faults: int


SHORT = Size(workers=3, runs=40, faults=4)
LONG = Size(workers=10, runs=100, faults=40)
SIZES = [
    pytest.param(SHORT, id="short"),
    pytest.param(LONG, id="long", marks=pytest.mark.soak),
]


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a Postgres database with our schema."""
    with postgres_server.database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.mark.parametrize("size", SIZES)
async def test_killed_and_stopped_workers_over_http(tmp_path: Path, size: Size) -> None:
    """R-23, R-24, R-47: SQLite behind one gateway; zombies are refused."""
    stand = Stand(tmp_path, worker=["--concurrency", "4"], first="w-0")
    try:
        await endure(stand, size)
    finally:
        stand.close()


@pytest.mark.soak
async def test_killed_and_stopped_workers_on_postgres(
    tmp_path: Path, postgres: str
) -> None:
    """R-23, R-24: the same, with the head row in Postgres."""
    words = ["--concurrency", "4"]
    stand = Stand(tmp_path, worker=words, first="w-0", database_url=postgres)
    try:
        await endure(stand, LONG)
    finally:
        stand.close()


@pytest.mark.parametrize("size", [pytest.param(LONG, marks=pytest.mark.soak)])
async def test_killed_and_stopped_workers_behind_celery(
    tmp_path: Path, postgres: str, redis_server: str, size: Size
) -> None:
    """R-23, R-25: messages that are delivered again change nothing."""
    stand = Stand(
        tmp_path,
        worker=["--celery", "--concurrency", "4"],
        first="w-0",
        database_url=postgres,
        REDIS_URL=redis_server,
    )
    try:
        await endure(stand, size)
    finally:
        stand.close()


@pytest.mark.parametrize(
    "count", [pytest.param(40, id="short"), pytest.param(100, marks=pytest.mark.soak)]
)
async def test_a_redis_that_dies_loses_no_run(
    tmp_path: Path, postgres: str, redis_process: RedisProcess, count: int
) -> None:
    """R-25, R-42: queued while it is away, rung for when it is back; none runs twice."""
    stand = Stand(
        tmp_path,
        worker=["--celery", "--concurrency", "4"],
        database_url=postgres,
        REDIS_URL=redis_process.url,
    )
    try:
        stand.workers[0].await_ready()
        started = queue(stand, count // 2)
        await stand.until(lambda: bool(effects(stand.folder)))
        await asyncio.to_thread(redis_process.kill)
        started += queue(stand, count - count // 2)
        await asyncio.to_thread(redis_process.start)
        await check(stand, started)
    finally:
        stand.close()


async def test_a_killed_gateway_leaves_the_work_to_the_other(
    tmp_path: Path, postgres: str
) -> None:
    """R-30: its runs are taken away from it, and done by who is left."""
    doomed = Stand(tmp_path / "a", database_url=postgres)
    left = Stand(tmp_path / "b", database_url=postgres)
    try:
        slow_at_first = shell("wait", '[ "$OPS_ATTEMPT" != 1 ] || sleep 2')
        started = [left.start(slow_at_first, retry=STUBBORN) for _ in range(8)]
        await left.until(
            lambda: any(is_held_by(left, run, doomed.worker_name) for run in started)
        )
        doomed.gateway.kill()
        left.db.run(partial(expire, worker=doomed.worker_name), by=ANN)
        ended = [await left.ended(run.id) for run in started]
    finally:
        doomed.close()
        left.close()

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}


async def endure(stand: Stand, size: Size) -> None:
    """Have runs done while workers are killed and stopped at random."""
    stand.db.run(lambda tx: set_lane(tx, Lane.D), by=ANN)
    for number in range(1, size.workers):
        stand.add_worker(f"w-{number}")
    for each in stand.workers:
        await asyncio.to_thread(each.await_ready)
    started = queue(stand, size.runs)
    names = {f"w-{number}": each for number, each in enumerate(stand.workers)}
    for _ in range(size.faults):
        await asyncio.sleep(random.uniform(0.1, 0.6))
        name = random.choice(sorted(names))
        if random.random() < 0.5:
            names[name] = await replace_killed(stand, name, names[name])
        else:
            await stop_for_a_while(stand, name, names[name])
    await check(stand, started)


async def replace_killed(
    stand: Stand, name: str, worker: WorkerProcess
) -> WorkerProcess:
    """Kill a worker as a power cut would, and put another one in its place."""
    worker.send(signal.SIGKILL)
    await asyncio.to_thread(worker.wait)
    stand.db.run(partial(expire, worker=stand.called(name)), by=ANN)
    return stand.add_worker(name)


async def stop_for_a_while(stand: Stand, name: str, worker: WorkerProcess) -> None:
    """Have a worker sleep until its runs were taken away; it wakes up as a zombie.

    One that has the database itself may sleep in the middle of a transaction: then
    nobody can write until it wakes up.
    """
    worker.send(signal.SIGSTOP)
    try:
        with suppress(Unavailable):
            stand.db.run(partial(expire, worker=stand.called(name)), by=ANN)
        await asyncio.sleep(random.uniform(1.2, 2.0))
    finally:
        with suppress(ProcessLookupError):
            worker.send(signal.SIGCONT)


def queue(stand: Stand, count: int) -> list[Run]:
    """Queue runs that have one effect each, half of them under keys."""
    script = f"sleep 0.3; {effect(stand.folder)}"
    return [
        stand.start(
            shell("note", script),
            retry=STUBBORN,
            lane=Lane.D if number % 3 else Lane.B,
            concurrency_key=f"key-{number % KEYS}" if number % 2 else "",
            concurrency_limit=KEY_LIMIT,
        )
        for number in range(count)
    ]


async def check(stand: Stand, started: Sequence[Run]) -> None:
    """All ended well, each attempt had its effect once, and no limit was passed."""
    async with asyncio.timeout(300):
        ended = [await stand.ended(run.id, patience=240) for run in started]
    found = Counter(effects(stand.folder))

    assert {run.status for run in ended} == {RunStatus.SUCCEEDED}
    assert [found[run.id, str(run.attempt)] for run in ended] == [1] * len(ended)
    assert set(found.values()) == {1}
    check_limits(stand, started)


def check_limits(stand: Stand, started: Sequence[Run]) -> None:
    """Count from the event log what was held at each moment."""
    by_id: dict[str, Run] = {run.id: run for run in started}
    held: set[str] = set()
    for event in all_events(stand):
        if event.target not in by_id:
            continue
        if event.type == "run_claimed":
            assert event.target not in held
            held.add(event.target)
            keys = Counter(by_id[each].concurrency_key for each in held)
            assert all(count <= KEY_LIMIT for key, count in keys.items() if key)
            in_lane = sum(by_id[each].lane is Lane.D for each in held)
            assert in_lane <= LANE_LIMIT
        elif event.type in _ENDS:
            held.discard(event.target)
    assert held == set()


def all_events(stand: Stand) -> Iterator[Event]:
    """Read the log from its beginning."""
    seq = 0
    while page := stand.db.look(partial(events.list_after, seq=seq, limit=500), by=ANN):
        yield from page
        seq = page[-1].seq


def set_lane(tx: Tx, lane: Lane) -> None:
    lanes.set_(tx, lane, concurrency=LANE_LIMIT)


def expire(tx: Tx, worker: str) -> None:
    """Have the leases of a worker end now, as if it had been silent for long enough."""
    tx.execute(
        update(runs)
        .where(runs.c.tenant_id == tx.tenant, runs.c.worker == worker)
        .where(runs.c.lease_expires_at.is_not(None))
        .values(lease_expires_at=tx.micros - 1)
    )
    tx.touch()


def is_held_by(stand: Stand, run: Run, worker: str) -> bool:
    now = stand.get(run.id)
    return now.worker == worker and now.status is RunStatus.RUNNING
