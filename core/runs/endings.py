"""How attempts end: with a result, with another attempt, or for good."""

from dataclasses import replace

from core.database import Tx
from core.kernel.clock import to_micros
from core.kernel.jsons import canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.texts import require_text
from core.leases import service as leases
from core.runs import retries, store
from core.runs.changes import ended, let_go, queued, save, tell, tell_ended
from core.runs.model import Run, RunError, RunStatus
from core.runs.reports import Outcome
from core.runs.workers.model import HEARD_EVERY

TIMED_OUT = "timed_out"
LOST = "lost"
STOPPED = "worker_stopped"
"""The failure of a step that was cut short because its worker stops."""

UNKNOWN = RunError(code="failed", detail="the worker did not say why")

_CODE_LIMIT = 64
_DETAIL_LIMIT = 4_000
_STEP_LIMIT = 100
_RESULT_BYTES = 262_144


def succeed(tx: Tx, run_id: str, *, fence: int, outcome: Outcome) -> Run | None:
    """End a run as most end: well, and held by who says so; None if it is otherwise."""
    since = to_micros(tx.now - HEARD_EVERY)
    run = store.succeed(tx, run_id, fence=fence, result=outcome.result, since=since)
    if run is None:
        return None
    if run.started_at is not None:
        leases.free(tx, run.id)
    tell_ended(tx, run)
    return run


def complete(tx: Tx, run: Run, outcome: Outcome) -> Run:
    """End the attempt of a run that is held."""
    run = replace(run, result=outcome.result, error=outcome.error)
    if run.status is RunStatus.CANCELLING or outcome.status == "cancelled":
        return ended(tx, run, RunStatus.CANCELLED, reason=run.reason or "by its worker")
    if outcome.status == "succeeded":
        return ended(tx, run, RunStatus.SUCCEEDED)
    return fail(tx, run, run.error or UNKNOWN, is_final=outcome.is_final)


def fail(tx: Tx, run: Run, error: RunError, *, is_final: bool = False) -> Run:
    """End an attempt that failed: the run waits for another one, or has failed."""
    may = retries.may_retry(run.retry, attempt=run.attempt, code=error.code)
    if error.code == TIMED_OUT:
        return ended(tx, run, RunStatus.TIMED_OUT, reason=error.detail, error=error)
    if may and not is_final:
        is_cut = error.code == STOPPED
        return _again(tx, run, error) if is_cut else wait(tx, run, error)
    tried = run.attempt >= run.retry.max_attempts > 1
    reason = f"gave up after {run.attempt} attempts" if tried else error.code
    return ended(tx, run, RunStatus.FAILED, reason=reason, error=error)


def wait(tx: Tx, run: Run, error: RunError) -> Run:
    """Have a run wait for its next attempt; a paused one goes on waiting after that."""
    pause = retries.pause(run.retry, run.attempt, drawn=tx.draw())
    after = save(
        tx,
        replace(
            let_go(tx, run, why=error.code, is_taken=False),
            status=RunStatus.RETRY_WAIT,
            reason=error.code,
            worker=run.worker,  # It may say the same once more.
            error=error,
            paused_at=None,
            available_at=tx.now + pause,
        ),
    )
    _tell_retry(tx, after, error, wait_ms=round(pause.total_seconds() * 1000))
    return after


def give_back(tx: Tx, run: Run, reason: str) -> Run:
    """Put a held run back as if this attempt had never been."""
    if run.status is RunStatus.CANCELLING:
        return ended(tx, run, RunStatus.CANCELLED, reason=run.reason, is_taken=True)
    free = let_go(tx, run, why=reason)
    free = replace(free, attempt=max(0, run.attempt - 1))
    if run.status is RunStatus.PAUSED:
        return save(tx, free)
    return queued(tx, free, reason=reason)


def take_back(tx: Tx, run: Run) -> Run:
    """Take a run from a worker that fell silent."""
    if run.status is RunStatus.CANCELLING:
        return ended(tx, run, RunStatus.CANCELLED, reason=run.reason, is_taken=True)
    detail = f"the worker {run.worker} fell silent"
    again = retries.may_retry(run.retry, attempt=run.attempt, code=LOST)
    tell(
        tx,
        "run_lost",
        run,
        worker=run.worker,
        attempt=run.attempt,
        max_attempts=run.retry.max_attempts,
        is_requeued=again,
    )
    if not again:
        error = RunError(code=LOST, detail=detail)
        return ended(tx, run, RunStatus.FAILED, reason=LOST, error=error, is_taken=True)
    return _requeue(tx, run, reason=LOST, detail=detail)


def _again(tx: Tx, run: Run, error: RunError) -> Run:
    """Put back a run whose worker stops: no pause is needed, others may go on at once."""
    after = _requeue(tx, run, reason=error.code, detail=error.detail)
    _tell_retry(tx, after, error, wait_ms=0)
    return after


def _requeue(tx: Tx, run: Run, *, reason: str, detail: str) -> Run:
    """Put a held run back, its attempt counted; a paused one stays paused."""
    free = let_go(tx, run, why=detail)
    if run.status is RunStatus.PAUSED:
        return save(tx, replace(free, reason=detail))
    return queued(tx, free, reason=reason)


def _tell_retry(tx: Tx, run: Run, error: RunError, *, wait_ms: int) -> None:
    tell(
        tx,
        "run_retry_scheduled",
        run,
        attempt=run.attempt,
        max_attempts=run.retry.max_attempts,
        code=error.code,
        detail=error.detail[:500],
        wait_ms=wait_ms,
    )


def is_repeated(run: Run, fence: int, outcome: Outcome) -> bool:
    """Tell whether an outcome was taken before, and is only said once more."""
    if run.fence != fence or run.is_held:
        return False
    if not (run.is_terminal or run.status is RunStatus.RETRY_WAIT):
        return False
    ended_so = {
        "succeeded": {RunStatus.SUCCEEDED, RunStatus.CANCELLED},
        "failed": {
            RunStatus.FAILED,
            RunStatus.TIMED_OUT,
            RunStatus.RETRY_WAIT,
            RunStatus.CANCELLED,
        },
        "cancelled": {RunStatus.CANCELLED},
    }[outcome.status]
    return (
        run.status in ended_so
        and canonical_json(dict(run.result)) == canonical_json(dict(outcome.result))
        and (run.error or UNKNOWN) == (outcome.error or UNKNOWN)
    )


def checked(outcome: Outcome) -> Outcome:
    """Return an outcome that can be stored; a long detail is cut.

    Raises: InvalidArgument.
    """
    written = canonical_json(dict(outcome.result))
    if len(written) > _RESULT_BYTES:
        raise InvalidArgument(
            f"the result has {len(written)} bytes",
            fix=[f"use at most {_RESULT_BYTES}, and artifacts for the rest"],
            argument="result",
        )
    if outcome.error is None:
        return outcome
    error = replace(outcome.error, detail=outcome.error.detail[:_DETAIL_LIMIT])
    require_text("code", error.code, limit=_CODE_LIMIT, least=1)
    require_text("detail", error.detail, limit=_DETAIL_LIMIT)
    require_text("step", error.step, limit=_STEP_LIMIT)
    return replace(outcome, error=error)
