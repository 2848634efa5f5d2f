"""What people do to runs: cancel, pause, resume, approve, and run again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from core.database import Tx
from core.kernel.problems import InvalidArgument, Problem
from core.kernel.texts import require_text
from core.runs import service
from core.runs.changes import ended, queued, save, tell
from core.runs.model import NewRun, Run, RunStatus
from core.runs.moves import MOVES, refused, require_move

MOST_AT_ONCE = 1_000

_REASON_LIMIT = 500


class Action(StrEnum):
    """What can be done to many runs at once."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"
    APPROVE = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one run of many.

    Shape:  `status` is where the run stands now; of a refused one `code` and `detail`
            say why. `made` is the run that a retry has made.
    """

    id: str
    is_done: bool
    status: str = ""
    made: str = ""
    code: str = ""
    detail: str = ""


def cancel(tx: Tx, run_id: str, *, reason: str = "") -> Run:
    """End a run: at once while nobody holds it, else as soon as its worker has stopped.

    Shape:  one that is cancelled, or is being cancelled, stays as it is.
    Raises: NotFound, IllegalMove when it is over.
    """
    run = service.get_(tx, run_id)
    why = require_text("reason", reason, limit=_REASON_LIMIT)
    if run.status in (RunStatus.CANCELLED, RunStatus.CANCELLING):
        return run
    if run.is_terminal:
        raise refused(run, "be cancelled")
    asked = replace(run, cancel_requested_at=tx.now)
    if not run.is_held:
        return ended(tx, asked, RunStatus.CANCELLED, reason=why)
    require_move(run, RunStatus.CANCELLING)
    after = save(
        tx, replace(asked, status=RunStatus.CANCELLING, reason=why, paused_at=None)
    )
    tell(tx, "run_cancel_requested", after, reason=why, worker=run.worker)
    return after


def pause(tx: Tx, run_id: str, *, reason: str = "") -> Run:
    """Keep a run from being claimed, or its worker from going on after this step.

    Shape:  a paused one stays as it is.
    Raises: NotFound, IllegalMove when it is over, awaits approval or is cancelled.
    """
    run = service.get_(tx, run_id)
    why = require_text("reason", reason, limit=_REASON_LIMIT)
    if run.status is RunStatus.PAUSED:
        return run
    if RunStatus.PAUSED not in MOVES[run.status]:
        raise refused(run, "be paused")
    after = save(
        tx,
        replace(
            run,
            status=RunStatus.PAUSED,
            reason=why,
            worker=run.worker if run.is_held else "",
            paused_at=tx.now,
        ),
    )
    tell(tx, "run_paused", after, reason=why, was=run.status.value, worker=after.worker)
    return after


def resume(tx: Tx, run_id: str) -> Run:
    """Let a paused run go on: where it is held, or from the queue.

    Raises: NotFound, IllegalMove when it is not paused.
    """
    run = service.get_(tx, run_id)
    if run.status is not RunStatus.PAUSED:
        raise refused(run, "be resumed")
    tell(tx, "run_resumed", run, worker=run.worker)
    if run.is_held:
        return save(
            tx, replace(run, status=RunStatus.RUNNING, reason="", paused_at=None)
        )
    return queued(tx, run, at=run.available_at)


def approve(tx: Tx, run_id: str) -> Run:
    """Let a run that awaits approval be claimed, now or at its time.

    Shape:  whoever calls this has checked that the caller may approve.
    Raises: NotFound, IllegalMove when it awaits none.
    """
    run = service.get_(tx, run_id)
    if run.status is not RunStatus.AWAITING_APPROVAL:
        raise refused(run, "be approved")
    return queued(tx, run, reason="approved", at=run.available_at)


def retry(tx: Tx, run_id: str) -> Run:
    """Make a new run of what one that is over was made of; that one is its parent.

    Shape:  what needed an approval needs one again.
    Raises: NotFound, IllegalMove while it is not over.
    """
    run = service.get_(tx, run_id)
    if not run.is_terminal:
        raise refused(run, "be run again before it is over")
    deadline, ttl = run.deadline_at, run.ttl_at
    return service.create(
        tx,
        NewRun(
            kind=run.kind,
            alias=run.alias,
            template=run.template,
            template_version=run.template_version,
            job=run.job,
            task=run.task,
            parent=run.id,
            lane=run.lane,
            priority=run.priority,
            input=run.input,
            steps=run.steps,
            retry=run.retry,
            deadline=deadline - run.created_at if deadline else None,
            ttl=ttl - run.created_at if ttl else None,
            concurrency_key=run.concurrency_key,
            concurrency_limit=run.concurrency_limit,
            labels=run.labels,
            budget=run.budget,
            reply_to=run.reply_to,
            needs_approval=run.needs_approval,
        ),
    )


def bulk(
    tx: Tx, ids: Sequence[str], action: Action, *, reason: str = ""
) -> Sequence[Done]:
    """Do one thing to many runs; what one refuses keeps no other from it.

    Raises: InvalidArgument for more than 1,000.
    """
    if len(ids) > MOST_AT_ONCE:
        raise InvalidArgument(
            f"there are {len(ids)} runs",
            fix=[f"name at most {MOST_AT_ONCE} at a time"],
            argument="ids",
        )
    return [_one(tx, run_id, action, reason) for run_id in dict.fromkeys(ids)]


def _one(tx: Tx, run_id: str, action: Action, reason: str) -> Done:
    """Do it to one; each of the verbs checks all before it writes anything."""
    try:
        after = _do(tx, run_id, action, reason)
    except Problem as problem:
        return Done(id=run_id, is_done=False, code=problem.code, detail=problem.detail)
    made = after.id if after.id != run_id else ""
    return Done(id=run_id, is_done=True, status=after.status.value, made=made)


def _do(tx: Tx, run_id: str, action: Action, reason: str) -> Run:
    match action:
        case Action.CANCEL:
            return cancel(tx, run_id, reason=reason)
        case Action.PAUSE:
            return pause(tx, run_id, reason=reason)
        case Action.RESUME:
            return resume(tx, run_id)
        case Action.RETRY:
            return retry(tx, run_id)
        case Action.APPROVE:
            return approve(tx, run_id)
        case other:
            assert_never(other)
