"""What is late comes to an end, or back to the queue (M-RUN-15, M-RUN-16, R-24)."""

from datetime import timedelta

import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.kernel.problems import LeaseLost
from core.runs.model import Backoff, RetryRule, RunStatus
from core.runs.reports import StepReport, StepStatus
from core.runs.steps import service as steps
from core.runs.workers import service as workers
from core.runs.workers.model import SILENT_AFTER, WorkerState
from tests.conftest import FakeClock
from tests.queues import SECOND, Queue, failed

SILENCE = 31 * SECOND


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def test_nothing_late_is_nothing_to_do(queue: Queue, clock: FakeClock) -> None:
    queue.create()
    queue.running(deadline=timedelta(hours=1), ttl=SECOND)
    clock.advance(30 * SECOND)

    assert queue.sweep().silent == 0


@pytest.mark.parametrize("has_begun", [True, False])
def test_run_of_a_silent_worker_is_queued_again(
    queue: Queue, clock: FakeClock, has_begun: bool
) -> None:
    """`M-RUN-15`: also one that never sent a heartbeat."""
    run = queue.running() if has_begun else queue.held()
    clock.advance(SILENCE)

    assert queue.sweep().silent == 1

    back = queue.get(run)
    assert (back.status, back.reason, back.worker) == (RunStatus.QUEUED, "lost", "")
    assert (back.attempt, back.fence) == (1, 2)
    assert queue.told(run.id)[-2:] == ["run_lost", "run_queued"]
    (again,) = queue.claim()
    assert again.attempt == 2


def test_run_that_kills_its_workers_is_given_up(queue: Queue, clock: FakeClock) -> None:
    """`R-25`: after as many attempts as it may have, once."""
    run = queue.create(retry=RetryRule(max_attempts=3))
    for _ in range(3):
        assert len(queue.claim()) == 1
        clock.advance(SILENCE)
        queue.sweep()

    dead = queue.get(run)
    assert (dead.status, dead.reason, dead.attempt) == (RunStatus.FAILED, "lost", 3)
    assert dead.error is not None
    assert dead.error.code == "lost"
    assert queue.claim() == []
    told = queue.told(run.id)
    assert (told.count("run_lost"), told.count("run_failed")) == (3, 1)


def test_rule_may_forbid_to_try_what_was_lost(queue: Queue, clock: FakeClock) -> None:
    run = queue.held(retry=RetryRule(never=frozenset({"lost"})))
    clock.advance(SILENCE)
    queue.sweep()

    assert queue.status(run) is RunStatus.FAILED


def test_step_that_was_running_is_closed(queue: Queue, clock: FakeClock) -> None:
    run = queue.running()
    queue.report(run, StepReport(step="build", status=StepStatus.RUNNING))
    clock.advance(SILENCE)
    queue.sweep()

    (row,) = queue.do(lambda tx: steps.list_of(tx, run.id))
    assert row.status is StepStatus.CANCELLED
    assert "fell silent" in row.detail
    assert queue.told(run.id)[-4:] == [
        "run_lost",
        "lease_released",
        "executor_failed",
        "run_queued",
    ]


def test_paused_run_of_a_silent_worker_stays_paused(
    queue: Queue, clock: FakeClock
) -> None:
    run = queue.running()
    queue.pause(run)
    clock.advance(SILENCE)
    assert queue.sweep().silent == 1

    paused = queue.get(run)
    assert (paused.status, paused.is_held) == (RunStatus.PAUSED, False)
    with pytest.raises(LeaseLost):
        queue.beat(run)
    queue.resume(run)
    assert [each.attempt for each in queue.claim()] == [2]


def test_what_waited_for_its_time_is_queued(queue: Queue, clock: FakeClock) -> None:
    later = queue.create(starts_at=clock.now() + 10 * SECOND)
    again = queue.complete(
        queue.held(retry=RetryRule(base=9 * SECOND, backoff=Backoff.FIXED)), failed()
    )
    clock.advance(10 * SECOND)

    assert queue.sweep().due == 2

    assert queue.status(later) is queue.status(again) is RunStatus.QUEUED


@pytest.mark.parametrize(
    "fields",
    [{}, {"needs_approval": True}, {"starts_at": True}],
)
def test_what_nobody_claims_in_time_ends(
    queue: Queue, clock: FakeClock, fields: dict[str, object]
) -> None:
    if "starts_at" in fields:
        fields = {"starts_at": clock.now() + timedelta(days=1)}
    run = queue.create(ttl=60 * SECOND, **fields)
    clock.advance(61 * SECOND)

    assert queue.sweep().expired == 1

    over = queue.get(run)
    assert over.status is RunStatus.TIMED_OUT
    (event,) = [each for each in queue.events(run.id) if each.type == "run_failed"]
    assert event.details["code"] == "timed_out"


def test_run_that_was_claimed_once_does_not_expire(
    queue: Queue, clock: FakeClock
) -> None:
    run = queue.held(ttl=60 * SECOND)
    queue.hand_back(run)
    clock.advance(61 * SECOND)

    assert queue.sweep().expired == 0


@pytest.mark.parametrize("way", ["waiting", "running", "paused"])
def test_deadline_ends_a_run_wherever_it_is(
    queue: Queue, clock: FakeClock, way: str
) -> None:
    if way == "waiting":
        run = queue.create(deadline=60 * SECOND)
    else:
        run = queue.running(deadline=60 * SECOND)
    if way == "paused":
        queue.pause(run)
    clock.advance(61 * SECOND)

    assert queue.sweep().timed_out == 1

    over = queue.get(run)
    assert (over.status, over.is_held) == (RunStatus.TIMED_OUT, False)
    if way != "waiting":
        with pytest.raises(LeaseLost):
            queue.complete(run)


def test_silent_worker_is_lost_until_it_speaks(queue: Queue, clock: FakeClock) -> None:
    queue.claim()
    clock.advance(SILENT_AFTER + SECOND)

    assert queue.sweep().lost_workers == 1
    known = queue.do(lambda tx: workers.get_(tx, "w1"))
    assert known.state is WorkerState.LOST
    queue.claim()
    known = queue.do(lambda tx: workers.get_(tx, "w1"))
    assert known.state is WorkerState.ONLINE
    assert queue.told("w1") == ["worker_online", "worker_lost", "worker_online"]


def test_name_of_a_lost_worker_is_free(
    queue: Queue, db: Database, bob: Principal, clock: FakeClock
) -> None:
    queue.claim()
    clock.advance(SILENT_AFTER + SECOND)
    queue.sweep()

    Queue(db, bob).claim()

    assert queue.do(lambda tx: workers.get_(tx, "w1")).owner_id == "bob"


def test_many_late_ones_are_swept_in_bounded_batches(
    queue: Queue, clock: FakeClock
) -> None:
    for _ in range(130):
        queue.create(ttl=SECOND)
    clock.advance(2 * SECOND)

    assert [queue.sweep().expired for _ in range(3)] == [100, 30, 0]
