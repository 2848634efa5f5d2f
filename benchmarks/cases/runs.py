"""P-7: runs through the queue on Postgres, and how soon a worker has a new one."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from sqlalchemy import text

from benchmarks.floors.skip_locked import runs_per_second as bare_runs_per_second
from benchmarks.paired import Bench, paired_ratio
from benchmarks.private import postgres, redis
from benchmarks.report import Line, at_least, at_most
from benchmarks.servers import TREE, NotReady
from core.audit.model import AuditDraft, Verdict
from core.database import Database, Tx, open_engine
from core.database.migrate import upgrade
from core.kernel.lanes import Lane
from core.kernel.principal import system
from core.runs import calls, claims
from core.runs import service as runs
from core.runs.lanes import service as lanes
from core.runs.model import NewRun, Run
from core.runs.reports import Outcome, Wanted
from gateway.recording import recorded

T = TypeVar("T")

OPEN = 64
WORKERS = 8
AT_ONCE = 16
BARE_THREADS = 8
PICKED_UP = 300

_PAUSE_SECONDS = 0.01
_BURST = 500
_DONE = Outcome(status="succeeded", result={"ok": True})
_NEW = NewRun(kind="job.generate", input={"n": 1})


@dataclass(frozen=True, slots=True)
class Queue:
    """Our queue as an embedded worker uses it: every call is a unit, with its audit."""

    db: Database
    done: list[str] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(OPEN))

    async def ask(self) -> Run:
        """Make a run."""
        return await self._do("run create", lambda tx: runs.create(tx, _NEW))

    async def take(self, name: str, limit: int) -> list[Run]:
        """Claim runs."""
        wanted = Wanted(worker=name, limit=limit)
        return [*await self._do("run claim", lambda tx: claims.claim(tx, wanted))]

    async def end(self, run: Run) -> None:
        """Complete a run with its fence."""
        await self._do(
            "run complete",
            lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=_DONE),
        )
        self.done.append(run.id)
        self.room.release()

    async def _do(self, action: str, work: Callable[[Tx], T]) -> T:
        def audited(tx: Tx) -> T:
            found = work(tx)
            tx.record(
                AuditDraft(
                    action=action,
                    actor=tx.principal.name,
                    channel="bench",
                    verdict=Verdict.ALLOWED,
                )
            )
            return found

        return await self.db.write(audited, by=system(name="worker"))


def measure_runs(bench: Bench) -> Iterator[Line]:
    """P-7: enqueue, claim and complete, each durable, with fence, events and audit."""
    found: dict[str, list[float]] = {"ours": [], "bare": [], "celery": []}
    with bench.folder() as folder:
        (folder / "pg").mkdir()
        with postgres(folder / "pg") as url, redis() as broker, celery(broker, folder):
            upgrade_once(url)
            asyncio.run(settle(url))
            for _ in range(bench.rounds):
                found["bare"].append(
                    bare_runs_per_second(
                        url, threads=BARE_THREADS, seconds=bench.seconds
                    )
                )
                found["celery"].append(celery_rate(broker, bench.seconds))
                found["ours"].append(asyncio.run(our_rate(url, bench.seconds)))
            waits = asyncio.run(pick_ups(url))
    yield _against(found, "bare", "a bare SKIP LOCKED loop", limit=0.5)
    yield _against(found, "celery", "Celery + Redis, a task of nothing", limit=1)
    yield Line(
        id="P-7",
        path="peer: procrastinate",
        ours="not run",
        note="procrastinate is not installed here",
    )
    yield _wait("p50", median(waits), 5)
    yield _wait("p99", quantiles(waits, n=100)[98], 20)


def upgrade_once(url: str) -> None:
    """Make our tables."""
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()


async def settle(url: str) -> None:
    """Bring the tables to where they are after a minute, when they were analysed."""
    await our_rate(url, 1.0)
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(
            text("VACUUM ANALYZE")
        )
    engine.dispose()


async def our_rate(url: str, seconds: float) -> float:
    """Have 64 ask and 8 work at once; give how many runs were done a second."""
    db = recorded(open_engine(url))
    await db.write(
        lambda tx: lanes.set_(tx, Lane.C, concurrency=WORKERS * AT_ONCE), by=system()
    )
    queue = Queue(db)
    until = time.perf_counter() + seconds
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(OPEN):
            group.create_task(_ask_until(queue, until))
        for number in range(WORKERS):
            group.create_task(_work_until(queue, f"w{number}", until))
    spent = time.perf_counter() - began
    count = len(set(queue.done))
    assert count == len(queue.done), "a run was done twice"
    await _empty(queue)
    db.close()
    return count / spent


async def pick_ups(url: str) -> list[float]:
    """Measure in ms how long an idle worker takes to hold a run that was made."""
    db = recorded(open_engine(url))
    queue = Queue(db)
    loop = asyncio.get_running_loop()
    bell = asyncio.Event()

    def ring(_: object) -> None:
        loop.call_soon_threadsafe(bell.set)

    db.on_commit(ring)
    waits = []
    for _ in range(PICKED_UP):
        worker = asyncio.create_task(_wait_for_one(queue, bell))
        await asyncio.sleep(_PAUSE_SECONDS)
        await queue.ask()
        made = time.perf_counter()
        run = await worker
        waits.append(1000 * (time.perf_counter() - made))
        await queue.end(run)
    db.close()
    return waits


@contextmanager
def celery(broker: str, folder: Path) -> Iterator[None]:
    """Run a Celery worker with two processes."""
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.floors.celery_noop"]
    command += ["worker", "-c", "2", "--without-gossip", "--without-mingle"]
    with (folder / "celery.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=_with(broker), cwd=TREE, stdout=log, stderr=log
        )
        try:
            celery_rate(broker, 0.1)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def celery_rate(broker: str, seconds: float) -> float:
    """Send tasks, wait for their results, and give how many were done a second."""
    sender = [sys.executable, "-c", _SENDER, str(_BURST), str(seconds)]
    try:
        done = subprocess.run(
            sender,
            env=_with(broker),
            cwd=TREE,
            check=True,
            capture_output=True,
            text=True,
            timeout=60 + seconds,
        )
    except subprocess.SubprocessError as fault:
        raise NotReady(f"Celery: {fault}") from fault
    return float(done.stdout)


_SENDER = """
import sys, time
from benchmarks.floors.celery_noop import noop
burst, seconds = int(sys.argv[1]), float(sys.argv[2])
noop.delay().get(timeout=30)
count, began = 0, time.perf_counter()
while time.perf_counter() - began < seconds:
    for sent in [noop.delay() for _ in range(burst)]:
        sent.get(timeout=30)
    count += burst
print(count / (time.perf_counter() - began))
"""


async def _ask_until(queue: Queue, until: float) -> None:
    while time.perf_counter() < until:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(
                asyncio.get_running_loop().time() + until - time.perf_counter()
            ):
                await queue.room.acquire()
            await queue.ask()


async def _work_until(queue: Queue, name: str, until: float) -> None:
    while time.perf_counter() < until:
        given = await _taken(queue, name)
        await asyncio.gather(*(queue.end(run) for run in given))


async def _empty(queue: Queue) -> None:
    """Take what is left, so that the next round begins with an empty queue."""
    while given := await queue.take("w0", AT_ONCE):
        await asyncio.gather(*(queue.end(run) for run in given))


async def _taken(queue: Queue, name: str) -> list[Run]:
    given = await queue.take(name, AT_ONCE)
    if not given:
        await asyncio.sleep(_PAUSE_SECONDS / 10)
    return given


async def _wait_for_one(queue: Queue, bell: asyncio.Event) -> Run:
    while True:
        bell.clear()
        if given := await queue.take("w0", 1):
            return given[0]
        await bell.wait()


def _with(broker: str) -> Mapping[str, str]:
    return {**os.environ, "REDIS_URL": broker}


def _against(
    found: Mapping[str, list[float]], name: str, path: str, *, limit: float
) -> Line:
    return Line(
        id="P-7",
        path=f"runs made, claimed and completed, against {path}",
        floor=f"{median(found[name]):,.0f}/s",
        ours=f"{median(found['ours']):,.0f}/s",
        value=paired_ratio(found["ours"], found[name]),
        aim=at_least(limit),
    )


def _wait(name: str, value: float, limit: float) -> Line:
    return Line(
        id="P-7",
        path=f"from committed to claimed by an idle worker, {name}",
        ours=f"{value:.1f} ms",
        value=value,
        aim=at_most(limit, "ms"),
    )
