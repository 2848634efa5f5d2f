"""Leases and tasks together: what ends a task's lease also moves the task.

A lease on anything that is not a task's id passes through to core.leases.
"""

from dataclasses import dataclass
from datetime import timedelta

from core.collab import tasks
from core.collab.tasks import Status, Task
from core.database import Tx
from core.kernel.ids import number_of
from core.leases import service as leases
from core.leases.model import DEFAULT_TTL, Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A lease that ended, and the task that went back to the queue with it, if any."""

    lease: Lease
    task: Task | None


def acquire(
    tx: Tx, resource: str, *, ttl: timedelta = DEFAULT_TTL, holder: str = ""
) -> Lease:
    """Take the lease on a resource; if it is a task's id, this claims the task.

    Raises: LeaseHeld, NotFound for an unknown task, IllegalMove for one that cannot be
            claimed.
    """
    if is_task(resource):
        return tasks.claim(tx, resource, ttl=ttl, holder=holder).lease
    return leases.acquire(tx, resource, ttl=ttl, holder=holder)


def release(tx: Tx, lock_id: str, *, fence: int) -> Ended:
    """Give a lease back; a task that was claimed and not begun goes back to the queue.

    Shape:  a task in progress stays with its assignee, without a lease.
    Raises: NotFound, Forbidden, LeaseLost.
    """
    lease = leases.release(tx, lock_id, fence=fence)
    task = _task_of(tx, lease)
    if task is None or task.status is not Status.CLAIMED:
        return Ended(lease=lease, task=None)
    return Ended(lease=lease, task=tasks.requeue(tx, task, reason="lease released"))


def reclaim(tx: Tx, lock_id: str, *, reason: str, is_forced: bool = False) -> Ended:
    """Take a lease from a silent holder, forced from a living one, and requeue its task.

    Raises: NotFound, LeaseLost when it ended already, LeaseHeld when it is alive.
    """
    lease = leases.reclaim(tx, lock_id, reason=reason, is_forced=is_forced)
    task = _task_of(tx, lease)
    if task is None or task.status not in tasks.WORKING:
        return Ended(lease=lease, task=None)
    why = f"lease reclaimed: {reason}" if reason else "lease reclaimed"
    return Ended(lease=lease, task=tasks.requeue(tx, task, reason=why))


def sweep(tx: Tx, *, limit: int = 100) -> list[Ended]:
    """Reclaim leases that expired, the longest silent first, at most `limit` of them."""
    return [
        reclaim(tx, lease.lock_id, reason="heartbeat missed")
        for lease in leases.list_stale(tx, limit=limit)
    ]


def is_task(resource: str) -> bool:
    """Tell whether a resource is named like a task."""
    return number_of(resource, "T") is not None


def _task_of(tx: Tx, lease: Lease) -> Task | None:
    return tasks.find_(tx, lease.resource) if is_task(lease.resource) else None
