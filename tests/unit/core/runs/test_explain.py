"""Why a run is not running: the true reason in each case."""

from datetime import timedelta

import pytest

from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import Principal
from core.runs import explain
from core.runs.lanes import service as lanes
from core.runs.model import RetryRule, Run
from core.runs.reports import StepReport, StepStatus
from core.runs.views import view
from core.runs.workers import service as workers
from tests.conftest import FakeClock
from tests.queues import SECOND, Queue, failed

HOUR = timedelta(hours=1)


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def why(queue: Queue, run: Run) -> str:
    found = queue.get(run)
    told = queue.db.look(lambda tx: explain.explain(tx, found), by=queue.by)
    assert told.fix
    assert view(found, why=told)["state"] == told.text
    assert explain.view(told)["code"] == told.code
    return f"{told.code} | {told.text}"


def test_no_worker_at_all(queue: Queue) -> None:
    assert why(queue, queue.create()) == "no_worker | Waiting: no worker is online"


def test_lane_is_full(queue: Queue) -> None:
    queue.do(lambda tx: lanes.set_(tx, Lane.B, concurrency=2))
    for _ in range(2):
        queue.held(lane=Lane.B)

    run = queue.create(lane=Lane.B)

    assert why(queue, run) == "lane_full | Waiting: lane B full 2/2"


def test_lane_is_drained_or_closed(queue: Queue) -> None:
    run = queue.create()
    queue.do(lambda tx: lanes.drain(tx, Lane.C))
    assert why(queue, run) == "lane_drained | Waiting: lane C is drained"
    queue.do(lambda tx: lanes.open_(tx, Lane.C))
    queue.do(lambda tx: lanes.set_(tx, Lane.C, concurrency=0))
    assert why(queue, run) == "lane_closed | Waiting: lane C is closed"


def test_key_is_in_use(queue: Queue) -> None:
    holder = queue.held(concurrency_key="deploy")
    run = queue.create(concurrency_key="deploy")

    assert why(queue, run) == (
        f"concurrency_key | Waiting: deploy is used by {holder.id}"
    )


def test_no_worker_has_the_labels(queue: Queue) -> None:
    run = queue.create(labels=frozenset({"gpu", "big"}))
    queue.claim(labels=frozenset({"gpu"}))

    assert why(queue, run).endswith("no worker online has all of big,gpu")


def test_no_worker_takes_the_lane(queue: Queue) -> None:
    run = queue.create(lane=Lane.D)
    queue.claim(lanes=(Lane.A,))

    assert why(queue, run).startswith("no_worker_for_lane | ")


@pytest.mark.parametrize("host", ["embedded", "celery", "fleet"])
def test_manual_runs_wait_for_a_worker_from_outside(queue: Queue, host: str) -> None:
    run = queue.create(kind="manual")
    queue.claim(host=host, takes_manual=False)

    assert why(queue, run) == (
        "no_worker_for_kind | Waiting: no worker online takes manual runs"
    )


def test_workers_drain(queue: Queue) -> None:
    queue.claim()
    queue.do(lambda tx: workers.drain(tx, "w1"))

    assert why(queue, queue.create()).startswith("workers_draining | ")


def test_others_are_ahead(queue: Queue) -> None:
    queue.claim()
    queue.create()
    queue.create(lane=Lane.A)
    run = queue.create()
    queue.create(priority=1)

    assert why(queue, run) == ("turn | Waiting for a worker: 2 ahead of it in lane C")


def test_who_is_ahead_and_cannot_be_taken_does_not_count(queue: Queue) -> None:
    """A label that nobody has holds up its own run alone."""
    queue.claim(host="embedded", takes_manual=False)
    queue.create(labels=frozenset({"gpu"}))
    queue.create(kind="manual")
    run = queue.create()

    assert why(queue, run) == (
        "turn | Waiting for a worker: none ahead of it in lane C"
    )


def test_its_workers_are_busy(queue: Queue) -> None:
    """The true reason, with the paused run that keeps one of them from working."""
    queue.held(lane=Lane.B)
    paused = queue.running(lane=Lane.A)
    queue.create(lane=Lane.B, labels=frozenset({"gpu"}))
    first = queue.create(lane=Lane.B)
    assert why(queue, first) == "workers_busy | Waiting: its workers are busy"

    queue.pause(paused)
    second = queue.create(lane=Lane.B)

    assert why(queue, second) == (
        f"workers_busy | Waiting: its workers are busy; one of them holds {paused.id},"
        " which is paused; 1 ahead of it"
    )


def test_time_approval_and_pause(queue: Queue, clock: FakeClock) -> None:
    later = queue.create(starts_at=clock.now() + HOUR)
    asked = queue.create(needs_approval=True)
    paused = queue.pause(queue.create())

    assert why(queue, later) == (
        "scheduled | Waiting until 2026-11-04T10:00:00.000000Z"
    )
    assert why(queue, asked).startswith("approval | ")
    assert why(queue, paused) == "paused | Paused"


def test_retry_waits(queue: Queue) -> None:
    run = queue.held(retry=RetryRule(base=HOUR, longest=HOUR))
    queue.complete(run, failed())

    assert why(queue, run).startswith("retry_wait | Waiting until ")
    assert why(queue, run).endswith("attempt 1 of 3 failed (exit_code)")


def test_who_holds_it_and_at_which_step(queue: Queue) -> None:
    run = queue.held()
    assert why(queue, run) == "claimed | Claimed: w1 has it, attempt 1 of 3"
    queue.report(run, StepReport(step="build", status=StepStatus.RUNNING))
    assert why(queue, run) == (
        "running | Running: w1 has it at the step build, attempt 1 of 3"
    )
    queue.cancel(run)
    assert why(queue, run) == "cancelling | Cancelling: w1 has 30 s to stop"


def test_what_is_over_says_why(queue: Queue, clock: FakeClock) -> None:
    dead = queue.complete(queue.held(), failed(is_final=True))
    late = queue.create(ttl=SECOND)
    clock.advance(2 * SECOND)
    queue.sweep()

    assert why(queue, dead) == "failed | Failed: it broke"
    assert why(queue, queue.cancel(queue.create())) == "cancelled | Cancelled: enough"
    assert why(queue, late).startswith("timed_out | Timed out: no worker took it")
    assert why(queue, queue.complete(queue.held())) == "succeeded | Succeeded"
