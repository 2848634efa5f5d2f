"""What workers may say, and what comes of it (M-RUN-05, M-RUN-17)."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.kernel.problems import (
    Forbidden,
    IllegalMove,
    InvalidArgument,
    LeaseLost,
    NotFound,
)
from core.leases import service as leases
from core.runs import calls
from core.runs.explain import explain
from core.runs.logs import service as logs
from core.runs.model import Backoff, Progress, RetryRule, Run, RunError, RunStatus
from core.runs.reports import LogReport, Note, Outcome, StepReport, StepStatus
from core.runs.steps import service as steps
from core.runs.workers import service as workers
from tests.conftest import FakeClock
from tests.queues import SECOND, SUCCEEDED, Queue, failed

STOPPED = RunError(code="worker_stopped", detail="build was cut short", step="build")
CUT = Outcome(status="failed", error=STOPPED)


@pytest.fixture
def queue(db: Database, ann: Principal) -> Queue:
    return Queue(db, ann)


def test_first_beat_says_that_it_runs(queue: Queue, clock: FakeClock) -> None:
    """`M-RUN-05`: and each beat extends the lease by what was claimed."""
    run = queue.held()
    clock.advance(10 * SECOND)

    beat = queue.beat(run)

    now = queue.get(run)
    assert (beat.cancel, beat.pause) == (False, False)
    assert beat.lease_expires_at == clock.now() + 30 * SECOND == now.lease_expires_at
    assert (now.status, now.started_at) == (RunStatus.RUNNING, clock.now())
    assert now.heartbeat_at == clock.now()


def test_beat_carries_progress(queue: Queue) -> None:
    run = queue.held()

    for _ in range(2):
        queue.beat(run, Progress(done=1, total=4, note="one"))

    assert queue.get(run).progress == Progress(done=1, total=4, note="one")
    assert queue.told(run.id).count("run_progress") == 1
    with pytest.raises(InvalidArgument, match="done cannot be -1"):
        queue.beat(run, Progress(done=-1))


def test_beat_tells_what_the_worker_shall_do(queue: Queue) -> None:
    paused, cancelled = queue.running(), queue.running()
    queue.pause(paused)
    queue.cancel(cancelled)

    assert queue.beat(paused).pause
    assert queue.beat(cancelled).cancel


@pytest.mark.parametrize("fence", [0, 2, 99, -1])
def test_wrong_fence_is_refused(queue: Queue, fence: int) -> None:
    """`R-22`: every call, whatever it is."""
    run = queue.held()

    for call in (
        lambda tx: calls.beat(tx, run.id, fence=fence),
        lambda tx: calls.report(tx, run.id, fence=fence, reports=[]),
        lambda tx: calls.complete(tx, run.id, fence=fence, outcome=SUCCEEDED),
        lambda tx: calls.hand_back(tx, run.id, fence=fence, reason=""),
    ):
        with pytest.raises(LeaseLost):
            queue.do(call)
    assert queue.get(run) == run


def test_unknown_run_is_not_found(queue: Queue) -> None:
    for run_id in ("R-7", "T-1", ""):
        with pytest.raises(NotFound):
            queue.do(partial(calls.beat, run_id=run_id, fence=1))


def test_zombie_is_refused_once_its_run_is_somebody_elses(
    queue: Queue, db: Database, bob: Principal, clock: FakeClock
) -> None:
    """`R-24`: kill -9, requeued, and the late completion gets a 409."""
    run = queue.running()
    clock.advance(31 * SECOND)
    queue.sweep()
    (again,) = Queue(db, bob).claim(worker="w2")

    with pytest.raises(LeaseLost):
        queue.complete(run)

    assert (again.id, again.attempt, again.fence) == (run.id, 2, 3)
    assert queue.get(run) == again


def test_only_who_registered_the_worker_speaks_for_it(
    queue: Queue, db: Database, bob: Principal
) -> None:
    run = queue.held()

    with pytest.raises(Forbidden):
        Queue(db, bob).beat(run)
    with pytest.raises(Forbidden):
        Queue(db, bob).complete(run)
    queue.complete(run)
    with pytest.raises(Forbidden):
        Queue(db, bob).complete(run)


def test_fence_decides_and_not_the_clock(queue: Queue, clock: FakeClock) -> None:
    """`R-47`: who was paused goes on, unless a sweep has come by."""
    run = queue.running()
    clock.advance(timedelta(hours=1))

    queue.beat(run)

    assert queue.complete(run).status is RunStatus.SUCCEEDED


@pytest.mark.parametrize("has_begun", [True, False])
def test_complete_ends_a_run(queue: Queue, clock: FakeClock, has_begun: bool) -> None:
    """From claimed as well as from running."""
    run = queue.running() if has_begun else queue.held()

    done = queue.complete(run)

    assert done == queue.get(run)
    assert done.status is RunStatus.SUCCEEDED
    assert (done.result, done.finished_at) == ({"answer": 42}, clock.now())
    assert (done.worker, done.lease_expires_at) == ("w1", None)
    assert queue.told(run.id)[-1] == "run_succeeded"


@pytest.mark.parametrize("outcome", [SUCCEEDED, failed(), failed(is_final=True)])
def test_same_outcome_again_changes_nothing(queue: Queue, outcome: Outcome) -> None:
    """A worker whose answer was lost may ask again; another outcome is refused."""
    run = queue.held()
    first = queue.complete(run, outcome)
    told = queue.told(run.id)

    assert queue.complete(run, outcome) == first
    assert queue.told(run.id) == told
    for other in (
        Outcome(status="succeeded", result={"answer": 43}),
        failed("other"),
        Outcome(status="cancelled"),
    ):
        with pytest.raises(LeaseLost):
            queue.complete(run, other)


def test_failed_run_waits_for_its_next_attempt(queue: Queue, clock: FakeClock) -> None:
    """`M-RUN-17`: exponential, with full jitter."""
    rule = RetryRule(max_attempts=3, base=10 * SECOND)
    run = queue.held(retry=rule)

    waiting = queue.complete(run, failed())

    assert waiting.status is RunStatus.RETRY_WAIT
    assert (waiting.reason, waiting.is_held) == ("exit_code", False)
    assert timedelta(0) <= waiting.available_at - clock.now() <= 10 * SECOND
    (event,) = [e for e in queue.events(run.id) if e.type == "run_retry_scheduled"]
    assert (event.details["attempt"], event.details["code"]) == (1, "exit_code")
    clock.advance(10 * SECOND)
    (again,) = queue.claim()
    assert (again.attempt, again.fence) == (2, 2)


def test_pauses_are_drawn(queue: Queue, clock: FakeClock) -> None:
    """Runs that failed together do not come back together."""
    rule = RetryRule(base=timedelta(minutes=5))
    pauses = {
        queue.complete(queue.held(retry=rule), failed()).available_at - clock.now()
        for _ in range(8)
    }

    assert len(pauses) == 8


def test_last_attempt_fails_for_good(queue: Queue) -> None:
    """`R-25`: and stands in the list of what was given up, once."""
    rule = RetryRule(max_attempts=2, backoff=Backoff.NONE)
    run = queue.held(retry=rule)
    queue.complete(run, failed())
    (again,) = queue.claim()

    dead = queue.complete(again, failed())

    assert (dead.status, dead.reason) == (RunStatus.FAILED, "gave up after 2 attempts")
    assert dead.error == RunError(code="exit_code", detail="it broke", step="build")
    (event,) = [e for e in queue.events(run.id) if e.type == "run_failed"]
    assert event.details["code"] == "exit_code"
    assert event.details["step"] == "build"


def test_some_failures_are_final(queue: Queue) -> None:
    rule = RetryRule(never=frozenset({"forbidden_path"}))

    for outcome in (failed("forbidden_path"), failed(is_final=True)):
        done = queue.complete(queue.held(retry=rule), outcome)
        assert (done.status, done.attempt) == (RunStatus.FAILED, 1)


def test_worker_may_cancel_its_own_attempt(queue: Queue) -> None:
    done = queue.complete(queue.held(), Outcome(status="cancelled"))

    assert done.status is RunStatus.CANCELLED


def test_long_details_are_cut_and_large_results_refused(queue: Queue) -> None:
    run = queue.held()
    with pytest.raises(InvalidArgument, match="the result has"):
        queue.complete(run, Outcome(status="succeeded", result={"x": "y" * 300_000}))

    error = RunError(code="exit_code", detail="x" * 10_000)
    done = queue.complete(run, Outcome(status="failed", error=error, is_final=True))

    assert done.error is not None
    assert len(done.error.detail) == 4_000


def test_hand_back_does_not_count(queue: Queue) -> None:
    """What a worker does that shuts down: finish the step, give the run back."""
    run = queue.running()

    back = queue.hand_back(run)

    assert (back.status, back.attempt, back.worker) == (RunStatus.QUEUED, 0, "")
    assert back.fence > run.fence
    with pytest.raises(LeaseLost):
        queue.complete(run)
    (again,) = queue.claim()
    assert (again.attempt, again.fence) == (1, 3)


def test_hand_back_of_paused_and_cancelled_ones(queue: Queue) -> None:
    paused, cancelled = queue.running(), queue.running()
    queue.pause(paused)
    queue.cancel(cancelled)

    assert queue.hand_back(paused).status is RunStatus.PAUSED
    assert queue.hand_back(cancelled).status is RunStatus.CANCELLED
    assert queue.claim() == []


@pytest.mark.parametrize(
    ("most", "status"), [(2, RunStatus.QUEUED), (1, RunStatus.FAILED)]
)
def test_a_step_that_was_cut_short_counts(
    queue: Queue, most: int, status: RunStatus
) -> None:
    """A worker that stops in the midst of a step: tried again at once, or failed."""
    run = queue.running(retry=RetryRule(max_attempts=most))

    cut = queue.complete(run, CUT)

    assert (cut.status, cut.attempt, cut.error) == (status, 1, CUT.error)
    if most == 1:
        told = queue.db.look(lambda tx: explain(tx, cut), by=queue.by).text
        assert told == "Failed: build was cut short"
    assert [each.attempt for each in queue.claim()] == ([2] if most == 2 else [])
    event = "run_retry_scheduled" if most == 2 else "run_failed"
    assert event in queue.told(run.id)


def test_a_paused_run_that_was_cut_short_stays_paused(queue: Queue) -> None:
    run = queue.running()
    queue.pause(run)

    assert queue.complete(run, CUT).status is RunStatus.PAUSED
    assert queue.claim() == []


def step(status: StepStatus, name: str = "build", **fields: object) -> StepReport:
    return StepReport(step=name, status=status, uses="shell", **fields)  # type: ignore[arg-type]


def test_steps_are_rows_and_events(queue: Queue, clock: FakeClock) -> None:
    run = queue.held(task="T-7")
    queue.report(run, step(StepStatus.RUNNING))
    clock.advance(3 * SECOND)
    queue.report(
        run,
        step(StepStatus.FAILED, exit_code=2, detail="no such file"),
        step(StepStatus.SKIPPED, "test"),
    )

    rows = queue.do(lambda tx: steps.list_of(tx, run.id, 1))
    assert [(each.name, each.status, each.position) for each in rows] == [
        ("build", StepStatus.FAILED, 1),
        ("test", StepStatus.SKIPPED, 2),
    ]
    assert (rows[0].exit_code, rows[0].detail) == (2, "no such file")
    assert rows[0].finished_at is not None
    assert rows[0].finished_at - 3 * SECOND == rows[0].started_at
    told = queue.told(run.id)
    assert told[2:] == ["lease_acquired", "executor_started", "executor_failed"]
    assert queue.told("T-7") == ["task_claimed"]


def test_same_report_again_is_told_once(queue: Queue) -> None:
    run = queue.held()

    for _ in range(2):
        queue.report(run, step(StepStatus.RUNNING))
    for _ in range(2):
        queue.report(run, step(StepStatus.SUCCEEDED, exit_code=0))

    told = queue.told(run.id)
    assert told.count("executor_started") == told.count("executor_succeeded") == 1


def test_first_step_takes_the_lease_and_the_end_frees_it(
    queue: Queue, clock: FakeClock
) -> None:
    """However the attempt ends."""

    def fall_silent(_: Run) -> Run:
        clock.advance(31 * SECOND)
        queue.sweep()
        return run

    ends: dict[str, Callable[[Run], Run]] = {
        "complete": queue.complete,
        "fail": lambda run: queue.complete(run, failed()),
        "hand back": queue.hand_back,
        "fall silent": fall_silent,
    }
    for name, end in ends.items():
        run = queue.held()
        queue.report(run, step(StepStatus.RUNNING))
        lease = queue.do(partial(leases.find_on, resource=run.id))
        assert lease is not None
        assert lease.holder == "w1"

        end(run)

        assert queue.do(partial(leases.find_on, resource=run.id)) is None, name
        assert queue.told(run.id).count("lease_released") == 1
        with suppress(IllegalMove):
            queue.cancel(run)


def test_reports_are_kept_in_order(queue: Queue) -> None:
    """Output is never an event, a note always is."""
    run = queue.held()

    queue.report(
        run,
        LogReport(text="one\n", step="build"),
        LogReport(text="two\n", step="build"),
        Progress(done=1, total=2),
        Note(type="image_built", details={"size": 7}),
    )

    page = queue.do(lambda tx: logs.read(tx, run.id))
    assert "".join(chunk.text for chunk in page.chunks) == "one\ntwo\n"
    assert queue.told(run.id)[2:] == ["run_progress", "image_built"]
    assert queue.status(run) is RunStatus.RUNNING


def test_effect_is_had_once(queue: Queue) -> None:
    """However often the run is tried."""
    run = queue.held(retry=RetryRule(backoff=Backoff.NONE))

    def note(answer: int) -> object:
        return queue.do(
            lambda tx: calls.effect(tx, run.id, "mail", result={"n": answer})
        )

    assert note(1) is None
    queue.complete(run, failed())
    queue.claim()
    assert note(2) == {"n": 1}


def test_worker_that_spoke_is_not_lost(queue: Queue, clock: FakeClock) -> None:
    run = queue.held()
    for _ in range(12):
        clock.advance(10 * SECOND)
        queue.beat(run)

    assert queue.sweep().lost_workers == 0
    known = queue.do(lambda tx: workers.get_(tx, "w1"))
    assert known.heartbeat_at == clock.now()
