"""The queue under many workers at once, on both databases (M-RUN-13, M-RUN-14, R-23)."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from sqlalchemy import text

from core.database import Database, is_sqlite
from core.kernel.lanes import Lane
from core.kernel.principal import Principal
from core.kernel.problems import IllegalMove, LeaseLost
from core.runs import claims
from core.runs.claiming import CLAIM, values_of
from core.runs.lanes import service as lanes
from core.runs.model import Backoff, NewRun, RetryRule, RunStatus
from core.runs.service import count_active, count_by_status, create
from tests.conftest import FakeClock
from tests.contract.conftest import OpenDatabase
from tests.queues import MINE, Queue, failed, most_held

ROOM = {Lane.A: 5, Lane.B: 4, Lane.C: 3, Lane.D: 2}
KEYS = {"deploy": 1, "build": 3}


def fill(queue: Queue, count: int) -> dict[str, set[str]]:
    """Make runs in all lanes, some under keys; name those of each lane and key."""
    members: dict[str, set[str]] = {}
    for number in range(count):
        lane = list(Lane)[number % 4]
        key = ("", "deploy", "build", "")[number // 4 % 4]
        run = queue.create(
            lane=lane,
            concurrency_key=key,
            concurrency_limit=KEYS.get(key, 1),
            retry=RetryRule(max_attempts=5, backoff=Backoff.NONE),
        )
        for name in (lane, key):
            members.setdefault(name, set()).add(run.id)
    return members


def set_rooms(queue: Queue) -> None:
    for lane, room in ROOM.items():
        queue.do(partial(lanes.set_, lane=lane, concurrency=room))


def work(
    queue: Queue, name: str, *, is_left: Callable[[], bool], chance: Random
) -> None:
    """Claim and end runs, one way or another, until none is left."""
    while is_left():
        given = queue.claim(worker=name, limit=chance.choice((1, 1, 3)))
        for run in given:
            if chance.random() < 0.5:
                queue.beat(run)
            draw = chance.random()
            if draw < 0.8:
                queue.complete(run)
            elif draw < 0.9:
                queue.hand_back(run)
            else:
                queue.complete(run, failed())


def all_at_once(works: Sequence[Callable[[], None]]) -> None:
    """Do things in a thread each; what one of them raises is raised here."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(each) for each in works]:
            done.result(timeout=120)


def test_ten_workers_share_a_hundred_runs(
    db: Database, open_another: OpenDatabase, ann: Principal
) -> None:
    """`M-RUN-14`: no double claim; lanes and keys are never exceeded.

    Three processes' worth of databases on one file or server; what was held at each
    moment is read from the events, which are numbered in the order of the commits.
    """
    queue = Queue(db, ann)
    set_rooms(queue)
    members = fill(queue, 100)
    databases = [db, open_another(), open_another()]

    def is_left() -> bool:
        return db.look(count_active, by=ann) > 0

    def worker(number: int) -> None:
        mine = Queue(databases[number % 3], ann)
        work(mine, f"w{number}", is_left=is_left, chance=Random(number))

    all_at_once([partial(worker, number) for number in range(10)])

    told = queue.events()
    claimed = Counter(
        (e.target, e.details["fence"]) for e in told if e.type == "run_claimed"
    )
    assert set(claimed.values()) == {1}
    ends = Counter(e.target for e in told if e.type in {"run_succeeded", "run_failed"})
    assert len(ends) == 100
    assert set(ends.values()) == {1}
    for name, limit in [*ROOM.items(), *KEYS.items()]:
        assert most_held(told, members[name]) <= limit, name


def test_cancel_and_complete_at_once(
    db: Database, open_another: OpenDatabase, ann: Principal
) -> None:
    """`R-26`: one terminal state, and the event of that one alone."""
    queue, other = Queue(db, ann), Queue(open_another(), ann)
    runs = [queue.running(lane=Lane.A) for _ in range(20)]

    def complete() -> None:
        for run in runs:
            queue.complete(run)

    def cancel() -> None:
        for run in reversed(runs):
            with suppress(IllegalMove):
                other.cancel(run)

    all_at_once([complete, cancel])

    for run in runs:
        told = queue.told(run.id)
        assert told.count("run_succeeded") + told.count("run_cancelled") == 1
        assert queue.get(run).is_terminal


def test_zombies_never_spoil_what_was_taken_from_them(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """`R-24`: 40 workers die at various points; each run is done once, by another."""
    queue = Queue(db, ann)
    runs = [queue.create(retry=RetryRule(max_attempts=3)) for _ in range(40)]
    queue.do(lambda tx: lanes.set_(tx, Lane.C, concurrency=100))
    dead = queue.claim(worker="dead")
    for run in dead[::2]:
        queue.beat(run)
    clock.advance(timedelta(seconds=31))
    queue.sweep()
    living = queue.claim(worker="living")

    for zombie in dead:
        with pytest.raises(LeaseLost):
            queue.complete(zombie)
    for run in living:
        queue.complete(run)

    assert {run.id for run in living} == {run.id for run in runs}
    assert queue.do(count_by_status) == {RunStatus.SUCCEEDED: 40}


def test_claim_walks_an_index_and_sorts_no_queue(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """What a claim costs does not grow with what waits, nor with what is over."""
    queue = Queue(db, ann)
    queue.do(
        lambda tx: [create(tx, NewRun(lane=list(Lane)[n % 4])) for n in range(3000)]
    )
    with db.engine.begin() as connection:
        connection.execute(text("ANALYZE"))

    plan = planned(queue)

    assert plan.count("ix_runs_claim") >= len(Lane), plan
    assert "Seq Scan on runs" not in plan, plan
    assert "Join" not in plan, plan
    assert not [each for each in plan.splitlines() if each == "SCAN runs"], plan
    assert len(queue.claim(limit=8)) == 8


def planned(queue: Queue) -> str:
    """Ask the database how it would claim."""
    values = queue.do(lambda tx: values_of(tx, MINE, claims.open_rules(tx, MINE)))
    with queue.db.engine.connect() as connection:
        sql, constants = CLAIM.compile(connection.dialect)
        how = "EXPLAIN QUERY PLAN" if is_sqlite(queue.db.engine) else "EXPLAIN"
        driver = connection.connection.driver_connection
        assert driver is not None
        bound = {**constants, **values, "tenant": queue.by.tenant}
        return "\n".join(str(row[-1]) for row in driver.execute(f"{how} {sql}", bound))
