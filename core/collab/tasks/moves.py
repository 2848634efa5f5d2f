"""The state machine of a task; pure.

queued -> claimed -> in_progress -> review -> approved -> merging -> done
   ^         |            |  ^         |
   +---------+------------+  |         v
                             +-- changes_requested
any open one -> blocked, and back to where it came from; -> failed, abandoned
What is over stays so, unless what it was made for comes back: then it is queued again
without a move, see keyed.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.collab.tasks.model import TERMINAL, WORKING, Status, Task
from core.kernel.problems import IllegalMove

_NEXT: Mapping[Status, tuple[Status, ...]] = {
    Status.QUEUED: (Status.CLAIMED,),
    Status.CLAIMED: (Status.IN_PROGRESS, Status.QUEUED),
    Status.IN_PROGRESS: (Status.REVIEW, Status.QUEUED),
    Status.REVIEW: (Status.APPROVED, Status.CHANGES_REQUESTED),
    Status.CHANGES_REQUESTED: (Status.IN_PROGRESS,),
    Status.APPROVED: (Status.MERGING,),
    Status.MERGING: (Status.DONE,),
}
_ENDS = (Status.FAILED, Status.ABANDONED)

COMPLETE_ONLY = frozenset({Status.APPROVED, Status.DONE})


def moves_from(task: Task) -> tuple[Status, ...]:
    """List the statuses that may follow, the usual one first."""
    if task.status in TERMINAL:
        return ()
    if task.status is Status.BLOCKED:
        back = (task.blocked_from,) if task.blocked_from else ()
        return (*back, *_ENDS)
    return (*_NEXT[task.status], Status.BLOCKED, *_ENDS)


def check_move(
    task: Task, to: Status, *, by: str, reason: str = "", unmet: Sequence[str] = ()
) -> None:
    """Let a move pass, or refuse it.

    Shape:  `unmet` are the needs that are not done.
    Raises: IllegalMove when the machine has no such step, when the definition of done
            or a need is open, when implementer and reviewer are one person, or when
            a block has no reason.
    """
    if to not in moves_from(task):
        raise _no_such_step(task, to)
    if to is Status.BLOCKED and not (reason.strip() or unmet):
        raise IllegalMove(
            f"{task.id} waits for nothing, so blocking it needs a reason",
            fix=[f'task block {task.id} --reason "..."'],
        )
    if to in COMPLETE_ONLY and task.status is not Status.BLOCKED:
        _require_complete(task, to, unmet)
    if (
        to is Status.APPROVED
        and task.status is Status.REVIEW
        and by == task.implementer
    ):
        raise IllegalMove(
            f"{by} implemented {task.id} and cannot approve it",
            fix=["ask somebody else to review it"],
            implementer=by,
        )


def moved(task: Task, to: Status, *, by: str, reason: str = "") -> Task:
    """Return the task as it stands after a move that was checked."""
    is_back = task.status is Status.BLOCKED
    after = replace(
        task,
        status=to,
        reason=reason,
        blocked_from=task.status if to is Status.BLOCKED else None,
    )
    if to is Status.IN_PROGRESS and not is_back:
        return replace(after, implementer=by, assignee=task.assignee or by)
    if to is Status.QUEUED and task.status in WORKING:
        return replace(after, assignee="")
    return after


def _no_such_step(task: Task, to: Status) -> IllegalMove:
    allowed = moves_from(task)
    if not allowed:
        return IllegalMove(f"{task.id} is {task.status}, which is final", allowed=[])
    return IllegalMove(
        f"{task.id} cannot go from {task.status} to {to}",
        fix=[f"task move {task.id} {status}" for status in allowed],
        allowed=[status.value for status in allowed],
    )


def _require_complete(task: Task, to: Status, unmet: Sequence[str]) -> None:
    if task.open_dod:
        raise IllegalMove(
            f"{task.id} cannot be {to}: its definition of done is open",
            fix=[f'task tick {task.id} "{text}"' for text in task.open_dod],
            open_dod=task.open_dod,
        )
    if unmet:
        raise IllegalMove(
            f"{task.id} cannot be {to}: it waits for {', '.join(unmet)}",
            fix=[f"task show {need}" for need in unmet],
            unmet=tuple(unmet),
        )
