"""What workers say about the runs that they hold; every call carries the run's fence.

Not the clock but the fence decides: a worker that was silent for too long keeps its run
until a sweep takes it away, and from then on whatever it says is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple, assert_never

from core.database import Tx
from core.events import service as events
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, LeaseLost
from core.kernel.texts import require_text
from core.leases import service as leases
from core.runs import effects, endings, store
from core.runs.changes import COLLECTION, save, tell
from core.runs.logs import service as logs
from core.runs.model import Progress, Run, RunStatus
from core.runs.reports import (
    LEASE,
    Beat,
    LogReport,
    Note,
    Outcome,
    Report,
    StepReport,
    StepStatus,
)
from core.runs.service import unknown
from core.runs.steps import service as steps
from core.runs.workers import service as workers
from core.runs.workers.model import HEARD_EVERY, WorkerState

LEASE_TTL = timedelta(hours=24)
MOST_REPORTS = 500

_MICRO = timedelta(microseconds=1)
_MOST_DONE = 1_000_000_000_000
_NOTE_LIMIT = 500
_BACK_LIMIT = 200


def require_held(tx: Tx, run_id: str, fence: int) -> Run:
    """Get a run for the worker that holds it.

    Raises: NotFound, LeaseLost when another attempt holds it, or none; Forbidden for
            anybody but who registered its worker.
    """
    run, speaker = _find(tx, run_id)
    return _held(run, fence, speaker, tx)


def require_attempt(tx: Tx, run_id: str, attempt: int) -> None:
    """Refuse what comes of an attempt that has ended.

    Raises: NotFound, LeaseLost.
    """
    run, _ = _find(tx, run_id)
    if run.is_held and run.attempt == attempt:
        return
    holder = f"it is at {run.attempt}" if run.is_held else f"it is {run.status}"
    raise LeaseLost(
        f"{run.id} is not held in its attempt {attempt}: {holder}",
        fix=["stop the work on it", f"run show {run.id}"],
        run=run.id,
        status=run.status.value,
    )


def beat(tx: Tx, run_id: str, *, fence: int, progress: Progress | None = None) -> Beat:
    """Note that the work goes on; the first time, that it has begun.

    Raises: as `require_held`.
    """
    run = require_held(tx, run_id, fence)
    until = tx.now + _lasting(run)
    now = replace(_begun(run, tx), heartbeat_at=tx.now, lease_expires_at=until)
    if now.status is not run.status:
        tx.bump(COLLECTION)
    now = save(tx, now)
    if progress is not None:
        _note_progress(tx, now, progress)
    return Beat(
        cancel=now.status is RunStatus.CANCELLING,
        pause=now.status is RunStatus.PAUSED,
        lease_expires_at=until,
    )


def report(tx: Tx, run_id: str, *, fence: int, reports: Sequence[Report]) -> Run:
    """Note what happened, in order.

    Raises: as `require_held`; InvalidArgument for what could not be stored.
    """
    if len(reports) > MOST_REPORTS:
        raise InvalidArgument(
            f"there are {len(reports)} reports",
            fix=[f"send at most {MOST_REPORTS} at a time"],
            argument="events",
        )
    run = require_held(tx, run_id, fence)
    begun = _begun(run, tx)
    if begun != run:
        tx.bump(COLLECTION)
        run = save(tx, begun)
    for each in reports:
        run = _note(tx, run, each)
    return run


def complete(tx: Tx, run_id: str, *, fence: int, outcome: Outcome) -> Run:
    """End an attempt.

    Shape:  the same outcome once more, with the same fence, gives the run as it is. A
            run that is being cancelled is cancelled, whatever the outcome says.
    Raises: as `require_held`.
    """
    told = endings.checked(outcome)
    if told.status == "succeeded" and told.error is None:
        done = endings.succeed(tx, run_id, fence=fence, outcome=told)
        if done is not None:
            return done
    run, speaker = _find(tx, run_id)
    if endings.is_repeated(run, fence, told):
        speaker.require(tx, run)
        return run
    return endings.complete(tx, _held(run, fence, speaker, tx), told)


def hand_back(tx: Tx, run_id: str, *, fence: int, reason: str) -> Run:
    """Give a run back to the queue between two steps; the attempt does not count.

    Shape:  a step that was cut short has failed, with `worker_stopped`. One that is being cancelled is cancelled; a paused one stays paused.
    Raises: as `require_held`.
    """
    run = require_held(tx, run_id, fence)
    why = require_text("reason", reason, limit=_BACK_LIMIT) or "handed back"
    return endings.give_back(tx, run, why)


def effect(
    tx: Tx, run_id: str, key: str, *, result: Mapping[str, Json] | None = None
) -> Mapping[str, Json] | None:
    """Note that a run has an effect now; give what was noted before, if it was.

    Shape:  None means that this is the first time, and that the effect, made in the
            same unit, is made once, however often the run is tried.
    Raises: NotFound, InvalidArgument for a bad key.
    """
    return effects.note(tx, run_id, key, result or {})


class _Speaker(NamedTuple):
    """What is known of the worker that has, or had, a run."""

    owner_id: str | None
    state: str | None
    heard: int | None

    def require(self, tx: Tx, run: Run) -> None:
        """Let only who registered the worker speak for it.

        Raises: Forbidden.
        """
        if self.owner_id != tx.principal.id:
            raise workers.not_yours(run.worker)

    def is_due(self, tx: Tx) -> bool:
        """Tell whether it is to be noted that the worker was heard."""
        last = self.heard or 0
        return (
            self.state == WorkerState.LOST or tx.micros - last >= HEARD_EVERY // _MICRO
        )


def _find(tx: Tx, run_id: str) -> tuple[Run, _Speaker]:
    found = store.find_with_owner(tx, run_id)
    if found is None:
        raise unknown(run_id)
    run, known = found
    return run, _Speaker(*known)


def _held(run: Run, fence: int, speaker: _Speaker, tx: Tx) -> Run:
    if run.fence != fence or not run.is_held:
        raise _lost(run, fence)
    speaker.require(tx, run)
    if speaker.is_due(tx):
        workers.heard(tx, run.worker)
    return run


def _lost(run: Run, fence: int) -> LeaseLost:
    holder = f"it is at {run.fence}" if run.is_held else f"it is {run.status}"
    return LeaseLost(
        f"{run.id} is not held with the fence {fence}: {holder}",
        fix=["stop the work on it", f"run show {run.id}"],
        run=run.id,
        status=run.status.value,
    )


def _begun(run: Run, tx: Tx) -> Run:
    """Return a run as it stands once its worker has said anything."""
    to = RunStatus.RUNNING if run.status is RunStatus.CLAIMED else run.status
    return replace(run, status=to, started_at=run.started_at or tx.now)


def _note(tx: Tx, run: Run, what: Report) -> Run:
    match what:
        case StepReport():
            if what.status is StepStatus.RUNNING:
                _lease(tx, run)
            steps.note(tx, run, what)
        case LogReport():
            logs.append(tx, run, what)
        case Progress():
            return _note_progress(tx, run, what)
        case Note():
            events.report(tx, what.type, target=run.id, details=what.details)
        case other:
            assert_never(other)
    return run


def _lease(tx: Tx, run: Run) -> None:
    """Have the worker lease the run's own id, from the first step of an attempt on."""
    lease = leases.find_on(tx, run.id)
    if lease is not None and lease.holder == run.worker and leases.is_owner(tx, lease):
        return
    leases.free(tx, run.id)
    taken = leases.acquire(tx, run.id, ttl=LEASE_TTL, holder=run.worker)
    events.append(
        tx,
        "task_claimed",
        target=run.task or run.id,
        run=run.id,
        worker=run.worker,
        lock_id=taken.lock_id,
        fence=run.fence,
    )


def _note_progress(tx: Tx, run: Run, progress: Progress) -> Run:
    if progress == run.progress:
        return run
    now = save(tx, replace(run, progress=_checked(progress)))
    tell(
        tx,
        "run_progress",
        now,
        done=progress.done,
        total=progress.total,
        note=progress.note,
    )
    return now


def _checked(progress: Progress) -> Progress:
    """Return a progress that can be stored.

    Raises: InvalidArgument.
    """
    require_text("note", progress.note, limit=_NOTE_LIMIT)
    for name in ("done", "total"):
        if not 0 <= getattr(progress, name) <= _MOST_DONE:
            raise InvalidArgument(
                f"{name} cannot be {getattr(progress, name)}",
                fix=[f"use 0 to {_MOST_DONE}"],
                argument=name,
            )
    return progress


def _lasting(run: Run) -> timedelta:
    """Return for how long a worker has claimed a run; each beat extends it by that."""
    if run.lease_expires_at is None or run.heartbeat_at is None:
        return LEASE
    return run.lease_expires_at - run.heartbeat_at
