"""Lanes are set, drained and counted; workers are listed, drained and forgotten."""

from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import Principal
from core.kernel.problems import Forbidden, InvalidArgument, InvalidQuery, NotFound
from core.runs import retention
from core.runs.lanes import figures
from core.runs.lanes import service as lanes
from core.runs.model import RunStatus
from core.runs.reports import Wanted
from core.runs.service import find
from core.runs.workers import service as workers
from core.runs.workers.model import SILENT_AFTER, WorkerState, view
from tests.conftest import FakeClock
from tests.queues import SECOND, Queue, failed

DAY = timedelta(days=1)


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def test_lanes_have_defaults_until_they_are_set(queue: Queue) -> None:
    found = queue.do(lanes.list_)

    assert [(each.rule.weight, each.rule.concurrency) for each in found] == [
        (8, 64),
        (4, 32),
        (2, 16),
        (1, 8),
    ]


def test_what_is_set_stays_and_is_told(queue: Queue) -> None:
    for _ in range(2):
        queue.do(partial(lanes.set_, lane=Lane.B, weight=9))
    queue.do(partial(lanes.set_, lane=Lane.B, concurrency=7))
    queue.do(partial(lanes.drain, lane=Lane.B))

    rule = queue.do(partial(lanes.get_, lane=Lane.B))
    assert (rule.weight, rule.concurrency, rule.is_draining) == (9, 7, True)
    assert not rule.is_open
    assert queue.told("lane B") == ["lane_changed"] * 3


@pytest.mark.parametrize(
    "fields",
    [{"weight": 0}, {"weight": 1_001}, {"concurrency": -1}, {"concurrency": 1_001}],
)
def test_rules_that_make_no_sense_are_refused(
    queue: Queue, fields: dict[str, int]
) -> None:
    with pytest.raises(InvalidArgument):
        queue.do(lambda tx: lanes.set_(tx, Lane.A, **fields))


def test_lanes_count_what_stands_in_them(queue: Queue) -> None:
    queue.complete(queue.held(lane=Lane.A))
    queue.held(lane=Lane.B)
    queue.create(lane=Lane.B)
    queue.create(lane=Lane.B, needs_approval=True)

    found = {each.rule.lane: lanes.view(each) for each in queue.do(lanes.list_)}

    shown = found[Lane.B]
    assert (shown["queued"], shown["held"], shown["waiting"]) == (1, 1, 1)
    assert (found[Lane.A]["queued"], found[Lane.A]["held"]) == (0, 0)


def test_figures_tell_the_oldest_and_what_nobody_sweeps(
    queue: Queue, clock: FakeClock
) -> None:
    """`M-RUN-23`: depth, age, and held runs of the dead."""
    queue.held()
    queue.create()
    clock.advance(90 * SECOND)

    found = queue.do(figures.read)

    shown = figures.view(found, now=clock.now())
    assert shown["oldest_seconds"] == 90
    assert shown["stuck"] == 1
    queue.sweep()
    assert queue.do(figures.read).stuck == 0


def test_workers_are_listed_by_name_in_pages(queue: Queue) -> None:
    for name in ("w3", "w1", "w2"):
        queue.claim(worker=name)

    first = queue.do(partial(workers.list_, limit=2))
    rest = queue.do(partial(workers.list_, limit=2, cursor=first.next or ""))

    assert [each.name for each in (*first.items, *rest.items)] == ["w1", "w2", "w3"]
    with pytest.raises(InvalidQuery):
        queue.do(partial(workers.list_, cursor="\n"))
    with pytest.raises(NotFound):
        queue.do(partial(workers.drain, name="w9"))


def test_workers_show_what_they_hold(queue: Queue) -> None:
    run = queue.held()

    held = queue.do(workers.holds)
    shown = view(queue.do(partial(workers.get_, name="w1")), holds=held["w1"])

    assert shown["holds"] == [run.id]
    assert shown["lanes"] == ["A", "B", "C", "D"]


def test_draining_worker_stays_so_while_it_asks(queue: Queue) -> None:
    queue.claim()
    queue.do(partial(workers.drain, name="w1"))
    queue.claim()

    assert queue.do(partial(workers.get_, name="w1")).state is WorkerState.DRAINING
    assert queue.told("w1") == ["worker_online", "worker_draining"]


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(worker=""),
        Wanted(worker="a\nb"),
        Wanted(worker="x" * 101),
        Wanted(worker="w", labels=frozenset({"two words"})),
    ],
)
def test_names_and_labels_of_workers_are_checked(queue: Queue, wanted: Wanted) -> None:
    with pytest.raises(InvalidArgument):
        queue.do(partial(workers.register, wanted=wanted))


def test_worker_of_somebody_else_is_not_taken_over(
    queue: Queue, db: Database, bob: Principal
) -> None:
    queue.claim()

    with pytest.raises(Forbidden):
        Queue(db, bob).do(partial(workers.register, wanted=Wanted(worker="w1")))


def test_old_runs_are_forgotten_with_all_they_left(
    queue: Queue, clock: FakeClock
) -> None:
    old = queue.complete(queue.held(labels=frozenset({"gpu"})))
    running = queue.running()
    clock.advance(2 * DAY)
    young = queue.complete(queue.held(), failed(is_final=True))
    keep = DAY

    expired = queue.do(partial(retention.find_expired, keep=keep))
    assert expired == [old.id]
    queue.do(partial(retention.forget, expired=expired, keep=keep))

    assert queue.do(partial(find, run_id=old.id)) is None
    assert queue.status(running) is RunStatus.RUNNING
    assert queue.status(young) is RunStatus.FAILED


def test_lost_workers_are_forgotten_in_time(queue: Queue, clock: FakeClock) -> None:
    queue.claim()
    clock.advance(SILENT_AFTER + SECOND)
    queue.sweep()
    clock.advance(DAY)

    assert queue.do(partial(workers.forget, after=2 * DAY)) == 0
    assert queue.do(partial(workers.forget, after=DAY)) == 1
    assert queue.do(workers.list_).items == []
