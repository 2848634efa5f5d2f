"""What people do to runs (R-26, M-RUN-18, M-RUN-20)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.kernel.problems import IllegalMove, InvalidArgument, LeaseLost, NotFound
from core.runs import controls
from core.runs.controls import Action
from core.runs.model import RetryRule, Run, RunStatus
from core.runs.reports import Outcome
from tests.conftest import FakeClock
from tests.queues import SECOND, SUCCEEDED, Queue, failed

HOUR = timedelta(hours=1)


def timed_out(queue: Queue, clock: FakeClock) -> Run:
    run = queue.create(ttl=SECOND)
    clock.advance(2 * SECOND)
    queue.sweep()
    return queue.get(run)


WAYS: dict[RunStatus, Callable[[Queue, FakeClock], Run]] = {
    RunStatus.SCHEDULED: lambda queue, clock: queue.create(
        starts_at=clock.now() + HOUR
    ),
    RunStatus.AWAITING_APPROVAL: lambda queue, _: queue.create(needs_approval=True),
    RunStatus.QUEUED: lambda queue, _: queue.create(),
    RunStatus.RETRY_WAIT: lambda queue, _: queue.complete(
        queue.held(retry=RetryRule(base=HOUR, longest=HOUR)), failed()
    ),
    RunStatus.CLAIMED: lambda queue, _: queue.held(),
    RunStatus.RUNNING: lambda queue, _: queue.running(),
    RunStatus.PAUSED: lambda queue, _: queue.pause(queue.running()),
    RunStatus.CANCELLING: lambda queue, _: queue.cancel(queue.running()),
    RunStatus.SUCCEEDED: lambda queue, _: queue.complete(queue.held()),
    RunStatus.FAILED: lambda queue, _: queue.complete(
        queue.held(), failed(is_final=True)
    ),
    RunStatus.TIMED_OUT: timed_out,
    RunStatus.CANCELLED: lambda queue, _: queue.cancel(queue.create()),
}
ENDED = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.TIMED_OUT})


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def brought_to(status: RunStatus, queue: Queue, clock: FakeClock) -> Run:
    """Bring a run into a state by what anybody could do."""
    run = WAYS[status](queue, clock)
    assert queue.status(run) is status
    return queue.get(run)


@pytest.mark.parametrize("status", sorted(set(RunStatus) - ENDED))
def test_cancel_in_each_state_ends_terminal(
    queue: Queue, clock: FakeClock, status: RunStatus
) -> None:
    """Waiting ones at once; held ones by their worker, or without it."""
    run = brought_to(status, queue, clock)

    queue.cancel(run)
    if run.is_held:
        assert queue.status(run) is RunStatus.CANCELLING
        assert queue.beat(run).cancel
        clock.advance(31 * SECOND)
        queue.sweep()

    assert queue.status(run) is RunStatus.CANCELLED
    assert queue.told(run.id).count("run_cancelled") == 1
    assert queue.claim() == []


@pytest.mark.parametrize("status", sorted(ENDED))
def test_what_is_over_cannot_be_cancelled(
    queue: Queue, clock: FakeClock, status: RunStatus
) -> None:
    run = brought_to(status, queue, clock)

    with pytest.raises(IllegalMove, match="final"):
        queue.cancel(run)

    assert queue.get(run) == run


@pytest.mark.parametrize("outcome", [SUCCEEDED, failed(), Outcome(status="cancelled")])
def test_cancelled_run_stays_so_whatever_its_worker_says(
    queue: Queue, outcome: Outcome
) -> None:
    """`R-26`: cancel beats a retry that would have come, and a late success."""
    run = queue.running()
    queue.cancel(run)

    done = queue.complete(run, outcome)

    assert (done.status, done.reason) == (RunStatus.CANCELLED, "enough")
    assert queue.complete(run, outcome) == done
    assert queue.claim() == []


def test_success_that_came_first_stands(queue: Queue) -> None:
    """`R-26`: one terminal state."""
    run = queue.running()
    queue.complete(run)

    with pytest.raises(IllegalMove):
        queue.cancel(run)

    assert queue.status(run) is RunStatus.SUCCEEDED


def test_cancel_beats_a_pending_retry(queue: Queue, clock: FakeClock) -> None:
    run = brought_to(RunStatus.RETRY_WAIT, queue, clock)

    queue.cancel(run)
    clock.advance(2 * HOUR)

    assert queue.claim() == []
    assert queue.status(run) is RunStatus.CANCELLED


@pytest.mark.parametrize(
    "status", [RunStatus.SCHEDULED, RunStatus.QUEUED, RunStatus.RETRY_WAIT]
)
def test_paused_run_is_not_claimed_until_it_is_resumed(
    queue: Queue, clock: FakeClock, status: RunStatus
) -> None:
    run = brought_to(status, queue, clock)
    queue.pause(run)
    clock.advance(2 * HOUR)
    assert queue.claim() == []

    queue.resume(run)

    assert [each.id for each in queue.claim()] == [run.id]
    told = queue.told(run.id)
    assert told.count("run_paused") == told.count("run_resumed") == 1


def test_run_that_is_resumed_before_its_time_waits_for_it(
    queue: Queue, clock: FakeClock
) -> None:
    run = brought_to(RunStatus.SCHEDULED, queue, clock)
    queue.pause(run)

    assert queue.resume(run).status is RunStatus.SCHEDULED


@pytest.mark.parametrize("has_begun", [True, False])
def test_held_run_is_paused_where_it_is(queue: Queue, has_begun: bool) -> None:
    """Its worker keeps the lease by heartbeats."""
    run = queue.running() if has_begun else queue.held()

    assert queue.pause(run).status is RunStatus.PAUSED
    assert queue.beat(run).pause
    assert queue.resume(run).status is RunStatus.RUNNING
    assert not queue.beat(run).pause
    assert queue.complete(run).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize(
    "status",
    sorted(ENDED | {RunStatus.AWAITING_APPROVAL, RunStatus.CANCELLING}),
)
def test_what_cannot_be_paused_says_so(
    queue: Queue, clock: FakeClock, status: RunStatus
) -> None:
    run = brought_to(status, queue, clock)

    with pytest.raises(IllegalMove):
        queue.pause(run)
    with pytest.raises(IllegalMove):
        queue.resume(run)


def test_approved_run_is_queued(queue: Queue, clock: FakeClock) -> None:
    run = queue.create(needs_approval=True)
    later = queue.create(needs_approval=True, starts_at=clock.now() + HOUR)
    assert queue.claim() == []

    for each in (run, later):
        queue.do(partial(controls.approve, run_id=each.id))

    assert [each.id for each in queue.claim()] == [run.id]
    assert queue.status(later) is RunStatus.SCHEDULED
    with pytest.raises(IllegalMove):
        queue.do(lambda tx: controls.approve(tx, run.id))


def test_retry_is_a_new_run_of_the_same(queue: Queue, clock: FakeClock) -> None:
    run = queue.held(
        input={"who": "bob"}, deadline=HOUR, labels=frozenset({"gpu"}), priority=3
    )
    queue.complete(run, failed(is_final=True))
    clock.advance(2 * HOUR)

    again = queue.do(lambda tx: controls.retry(tx, run.id))

    assert (again.id, again.parent, again.status) == ("R-2", run.id, RunStatus.QUEUED)
    assert (again.input, again.labels, again.priority) == (run.input, run.labels, 3)
    assert again.deadline_at == clock.now() + HOUR
    assert (again.attempt, again.fence, again.error) == (0, 0, None)


def test_retry_needs_the_approval_that_the_first_one_needed(queue: Queue) -> None:
    """Cancelling what nobody approved is no way around the approval."""
    run = queue.cancel(queue.create(needs_approval=True))

    again = queue.do(lambda tx: controls.retry(tx, run.id))

    assert again.status is RunStatus.AWAITING_APPROVAL
    with pytest.raises(IllegalMove, match="before it is over"):
        queue.do(lambda tx: controls.retry(tx, again.id))


def test_many_at_once_each_with_its_result(queue: Queue) -> None:
    """`M-RUN-20`: what one refuses keeps no other from it."""
    waiting, held, done = queue.create(), queue.create(), queue.create()
    queue.complete(queue.claim(limit=1)[0])
    queue.claim(limit=1)
    ids = [waiting.id, held.id, done.id, held.id, "R-99"]

    results = queue.do(lambda tx: controls.bulk(tx, ids, Action.CANCEL, reason="no"))

    assert [(each.id, each.is_done, each.status or each.code) for each in results] == [
        ("R-1", False, "illegal_move"),
        ("R-2", True, "cancelling"),
        ("R-3", True, "cancelled"),
        ("R-99", False, "not_found"),
    ]
    with pytest.raises(InvalidArgument, match="1001 runs"):
        queue.do(lambda tx: controls.bulk(tx, ["R-1"] * 1001, Action.PAUSE))


@pytest.mark.parametrize("action", Action)
def test_bulk_knows_every_action(queue: Queue, action: Action) -> None:
    run = queue.create()

    (result,) = queue.do(lambda tx: controls.bulk(tx, [run.id], action))

    assert result.is_done is (action in {Action.CANCEL, Action.PAUSE})


def test_unknown_run_is_not_found(queue: Queue) -> None:
    with pytest.raises(NotFound):
        queue.do(lambda tx: controls.cancel(tx, "R-7"))


def test_late_worker_of_a_cancelled_run_is_refused(
    queue: Queue, clock: FakeClock
) -> None:
    run = queue.running()
    queue.cancel(run)
    clock.advance(31 * SECOND)
    queue.sweep()

    with pytest.raises(LeaseLost):
        queue.complete(run)
