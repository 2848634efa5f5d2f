"""Move tasks through their states, and claim them by taking a lease.

A task is leased only while somebody works on it (claimed, in_progress): leaving these
states, for review as for a block, ends the lease. So a reclaimed lease always means
lost work, and its task goes back to the queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from core.collab.tasks.fields import REASON_LIMIT
from core.collab.tasks.journal import require_match, save
from core.collab.tasks.model import TERMINAL, WORKING, Status, Task
from core.collab.tasks.moves import check_move, moved, moves_from
from core.collab.tasks.service import change, get_, unmet_needs
from core.database import Tx
from core.events import service as events
from core.kernel.problems import IllegalMove, LeaseHeld
from core.kernel.texts import require_text
from core.leases import service as leases
from core.leases.model import DEFAULT_TTL, Lease, is_stale, seconds_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A task after a move, and where it stood before."""

    task: Task
    old_status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A task and the lease under which its assignee works on it."""

    task: Task
    lease: Lease


def transition(
    tx: Tx, task_id: str, to: Status, *, reason: str = "", if_match: str = ""
) -> Move:
    """Move a task to another status; from queued to claimed is a claim.

    Raises: NotFound, StaleVersion, IllegalMove, LeaseHeld when somebody else works on
            what would go back to the queue.
    """
    task = get_(tx, task_id)
    require_match(tx, task, if_match)
    require_text("reason", reason, limit=REASON_LIMIT)
    if task.status is Status.QUEUED and to is Status.CLAIMED:
        return Move(task=claim(tx, task_id).task, old_status=task.status)
    unmet = unmet_needs(tx, task)
    check_move(task, to, by=tx.principal.name, reason=reason, unmet=unmet)
    if task.status in WORKING and to not in WORKING:
        _end_lease(tx, task, to)
    return Move(task=_move(tx, task, to, reason), old_status=task.status)


def claim(
    tx: Tx,
    task_id: str,
    *,
    ttl: timedelta = DEFAULT_TTL,
    holder: str = "",
    if_match: str = "",
) -> Claim:
    """Take a task out of the queue, or renew the lease on a task that one works on.

    Shape:  `holder` is the assignee's name, by default the principal's. Claiming again
            gives the same lock and fence.
    Raises: NotFound, StaleVersion, LeaseHeld with the seconds to wait, IllegalMove
            when the task is neither queued nor the holder's.
    """
    task = get_(tx, task_id)
    require_match(tx, task, if_match)
    held = leases.find_on(tx, task.id)
    if held is not None and is_stale(held, tx.now):
        leases.reclaim(tx, held.lock_id, reason="expired")
        task, held = requeue(tx, task, reason="lease expired"), None
    name = holder or tx.principal.name
    if task.status is not Status.QUEUED and held is None:
        _require_own_work(task, name)
    lease = leases.acquire(tx, task.id, ttl=ttl, holder=name)
    if task.status is Status.QUEUED:
        task = _take(tx, task, lease)
    return Claim(task=task, lease=lease)


def release(tx: Tx, task_id: str, *, reason: str = "", if_match: str = "") -> Move:
    """Give a claimed or begun task back to the queue, and its lease with it."""
    return transition(tx, task_id, Status.QUEUED, reason=reason, if_match=if_match)


def approve(tx: Tx, task_id: str, *, reason: str = "", if_match: str = "") -> Move:
    """Approve a task in review."""
    return transition(tx, task_id, Status.APPROVED, reason=reason, if_match=if_match)


def reject(tx: Tx, task_id: str, *, reason: str = "", if_match: str = "") -> Move:
    """Ask for changes to a task in review."""
    return transition(
        tx, task_id, Status.CHANGES_REQUESTED, reason=reason, if_match=if_match
    )


def block(
    tx: Tx,
    task_id: str,
    *,
    reason: str = "",
    needs: Sequence[str] = (),
    if_match: str = "",
) -> Move:
    """Set an open task aside, for a reason or until further needs are done."""
    task = get_(tx, task_id)
    require_match(tx, task, if_match)
    if needs:
        change(tx, task_id, needs=[*task.needs, *needs])
    return transition(tx, task_id, Status.BLOCKED, reason=reason)


def unblock(tx: Tx, task_id: str, *, reason: str = "", if_match: str = "") -> Move:
    """Take a blocked task back to where it came from.

    Raises: NotFound, StaleVersion, IllegalMove when it is not blocked.
    """
    task = get_(tx, task_id)
    if task.blocked_from is None:
        raise IllegalMove(
            f"{task.id} is {task.status}, not blocked", fix=[f"task show {task.id}"]
        )
    return transition(tx, task_id, task.blocked_from, reason=reason, if_match=if_match)


def reopen(tx: Tx, task: Task, *, reason: str) -> Move:
    """Queue a task again that is over, because what it was made for is back.

    Shape:  nobody has it then, and nobody has implemented it; only the board's own
            rules about moves are passed over, for no person can take a task back.
    Raises: IllegalMove when it is not over.
    """
    if task.status not in TERMINAL:
        raise IllegalMove(
            f"{task.id} is {task.status}, not over", fix=[f"task show {task.id}"]
        )
    after = replace(
        task, status=Status.QUEUED, reason=reason, assignee="", implementer=""
    )
    return Move(task=_save_status(tx, task, after), old_status=task.status)


def requeue(tx: Tx, task: Task, *, reason: str) -> Task:
    """Put a task whose lease is gone back in the queue, if it was being worked on."""
    if task.status not in WORKING:
        return task
    return _move(tx, task, Status.QUEUED, reason)


def _move(tx: Tx, task: Task, to: Status, reason: str) -> Task:
    after = moved(task, to, by=tx.principal.name, reason=reason)
    return _save_status(tx, task, after)


def _take(tx: Tx, task: Task, lease: Lease) -> Task:
    events.append(
        tx,
        "task_claimed",
        target=task.id,
        holder=lease.holder,
        lock_id=lease.lock_id,
        fence=lease.fence,
        ttl_seconds=seconds_of(lease.ttl),
    )
    after = replace(task, status=Status.CLAIMED, assignee=lease.holder, reason="")
    return _save_status(tx, task, after)


def _save_status(tx: Tx, task: Task, after: Task) -> Task:
    return save(tx, task, after, "status_changed", old_status=task.status.value)


def _end_lease(tx: Tx, task: Task, to: Status) -> None:
    lease = leases.find_on(tx, task.id)
    if lease is None:
        return
    if to is Status.QUEUED and not (
        is_stale(lease, tx.now) or leases.is_owner(tx, lease)
    ):
        raise LeaseHeld(
            task.id,
            lock_id=lease.lock_id,
            holder=lease.holder,
            expires_in=lease.expires_at - tx.now,
        )
    leases.free(tx, task.id)


def _require_own_work(task: Task, name: str) -> None:
    if task.status in WORKING and task.assignee == name:
        return
    raise IllegalMove(
        f"{task.id} is {task.status} and cannot be claimed",
        fix=[f"task move {task.id} {status}" for status in moves_from(task)],
        assignee=task.assignee,
    )
