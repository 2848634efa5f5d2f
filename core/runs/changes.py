"""How a run goes from one state to the next: stored, told, and let go of.

Every change of a run goes through `moved` or `told`; what it may become is in moves.py.
Writers of a tenant are serial, so what was read in a unit is what it changes.
"""

from dataclasses import replace
from datetime import datetime

from core.database import Tx
from core.events.service import append
from core.kernel.jsons import Json
from core.leases import service as leases
from core.runs import store
from core.runs.model import Run, RunError, RunStatus
from core.runs.moves import require_move
from core.runs.steps import service as steps

COLLECTION = "runs"
_REASON_LIMIT = 500


def save(tx: Tx, run: Run) -> Run:
    """Store a run as it stands now, as its next version."""
    store.save(tx, run)
    return replace(run, version=run.version + 1)


def tell(tx: Tx, event: str, run: Run, **details: Json) -> None:
    """Append an event about a run."""
    tx.bump(COLLECTION)
    append(tx, event, target=run.id, **details)


def let_go(tx: Tx, run: Run, *, why: str, is_taken: bool = True) -> Run:
    """Return a run without its worker; the lease on it ends.

    Shape:  with `is_taken` the fence grows, so that whatever the worker still says is
            refused.
    """
    if not run.is_held:
        return run
    if run.started_at is not None:
        leases.free(tx, run.id)
    if is_taken:
        steps.close(tx, run, detail=why)
    return replace(
        run,
        worker="",
        lease_expires_at=None,
        fence=run.fence + 1 if is_taken else run.fence,
    )


def queued(tx: Tx, run: Run, *, reason: str = "", at: datetime | None = None) -> Run:
    """Put a run, which nobody holds, where workers find it."""
    moment = at or tx.now
    later = moment > tx.now
    to = RunStatus.SCHEDULED if later else RunStatus.QUEUED
    require_move(run, to)
    after = save(
        tx,
        replace(
            run,
            status=to,
            reason=reason,
            available_at=moment,
            paused_at=None,
            worker="",
            lease_expires_at=None,
        ),
    )
    tell(tx, "run_queued", after, **_queued_details(after))
    return after


def ended(
    tx: Tx,
    run: Run,
    to: RunStatus,
    *,
    reason: str = "",
    error: RunError | None = None,
    is_taken: bool = False,
) -> Run:
    """End a run, take it from its worker if it has one, and tell how it ended."""
    require_move(run, to)
    after = save(
        tx,
        replace(
            let_go(tx, run, why=reason, is_taken=is_taken),
            status=to,
            reason=reason[:_REASON_LIMIT],
            error=error or run.error,
            worker=run.worker,
            paused_at=None,
            finished_at=tx.now,
        ),
    )
    tell_ended(tx, after)
    return after


def tell_ended(tx: Tx, run: Run) -> None:
    """Tell how a run ended."""
    tell(tx, _ENDINGS[run.status], run, **_ended_details(run))


_ENDINGS = {
    RunStatus.SUCCEEDED: "run_succeeded",
    RunStatus.FAILED: "run_failed",
    RunStatus.TIMED_OUT: "run_failed",
    RunStatus.CANCELLED: "run_cancelled",
}


def _queued_details(run: Run) -> dict[str, Json]:
    return {
        "status": run.status.value,
        "lane": run.lane.value,
        "attempt": run.attempt,
        "reason": run.reason,
    }


def _ended_details(run: Run) -> dict[str, Json]:
    details: dict[str, Json] = {
        "attempt": run.attempt,
        "fence": run.fence,
        "reason": run.reason,
        "worker": run.worker,
    }
    if run.status in (RunStatus.FAILED, RunStatus.TIMED_OUT) and run.error:
        details |= {"code": run.error.code, "detail": run.error.detail[:500]}
        if run.error.step:
            details["step"] = run.error.step
    for name in ("job", "task", "template", "alias"):
        if value := getattr(run, name):
            details[name] = value
    return details
