"""Commands over leases: who may work on what, and for how long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Person, Ref
from commands.views import (
    LeaseEndedData,
    LeasePageData,
    LeaseShownData,
    LeasesReclaimedData,
)
from core.collab import service as board
from core.collab.service import Ended
from core.database import Tx
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.reply import Reply
from core.leases import model
from core.leases import service as leases
from core.leases.model import DEFAULT_TTL, Lease

LeaseRef = Annotated[str, Ref("L")]
Fence = Annotated[int, Doc("The number that came with the lease.")]


@command(
    "lease acquire",
    scope="leases:write",
    danger="write",
    result=LeaseShownData,
    http="POST /collab/leases/acquire",
    examples=["lease acquire deploy-prod --ttl 15m"],
)
def acquire(
    ctx: Context,
    resource: Annotated[str, Doc("Any name; a task's id claims the task.")],
    *,
    ttl: timedelta | None = None,
    ttl_seconds: int | None = None,
    holder: Annotated[str, Person()] = "",
) -> Reply:
    """Take the lease on a resource, or renew the one that you hold."""
    lease = board.acquire(
        ctx.tx, resource, ttl=_lasting(ttl, ttl_seconds), holder=holder
    )
    return Reply(
        summary=f"{lease.holder} holds {lease.resource} until {lease.expires_at:%H:%M} UTC"[
            :150
        ],
        blocks=(
            blocks.fields(("lease", lease.lock_id), ("fence", lease.fence)),
            blocks.actions(
                ("Renew", f"lease renew {lease.lock_id} --fence {lease.fence}"),
                ("Release", f"lease release {lease.lock_id} --fence {lease.fence}"),
            ),
        ),
        data=_shown(lease, ctx.tx.now),
        undo=blocks.undo(ctx, f"lease release {lease.lock_id} --fence {lease.fence}"),
    )


@command(
    "lease renew",
    scope="leases:write",
    danger="write",
    target="lease",
    result=LeaseShownData,
    http="POST /collab/leases/{lease}/heartbeat",
    examples=["lease renew L-3 --fence 12"],
)
def renew(ctx: Context, lease: LeaseRef, *, fence: Fence) -> Reply:
    """Send a heartbeat: the lease lives on from now."""
    renewed = leases.heartbeat(ctx.tx, lease, fence=fence)
    return Reply(
        summary=f"{renewed.lock_id} holds until {renewed.expires_at:%H:%M} UTC",
        data=_shown(renewed, ctx.tx.now),
    )


@command(
    "lease release",
    scope="leases:write",
    danger="write",
    target="lease",
    result=LeaseEndedData,
    http="POST /collab/leases/{lease}/release",
    examples=["lease release L-3 --fence 12"],
)
def release(ctx: Context, lease: LeaseRef, *, fence: Fence) -> Reply:
    """Give a lease back; a task that was claimed and not begun is queued again."""
    ended = board.release(ctx.tx, lease, fence=fence)
    return Reply(
        summary=f"Released {ended.lease.lock_id}{_back(ended)}", data=_ended(ended)
    )


@command(
    "lease list",
    scope="leases:read",
    http="GET /collab/leases",
    result=LeasePageData,
    examples=["lease list --stale"],
)
def list_(
    ctx: Context,
    *,
    stale: Annotated[bool, Doc("Only leases whose holder fell silent.")] = False,
    holder: Annotated[str, Person()] = "",
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List held leases, the oldest first."""
    page = leases.list_(
        ctx.tx,
        is_stale=True if stale else None,
        holder=holder,
        limit=limit,
        cursor=cursor,
    )
    if not page.items:
        return blocks.empty(
            "No leases held", ("Claim a task", "task list --status queued")
        )
    now = ctx.tx.now
    return Reply(
        summary=blocks.count(len(page.items), "stale lease" if stale else "lease"),
        blocks=(
            blocks.table(
                ("id", "resource", "holder", "left", "heartbeat"),
                [
                    (
                        each.lock_id,
                        each.resource,
                        each.holder,
                        _left(each, now),
                        f"{blocks.age(each.heartbeat_at, now)} ago",
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [_shown(each, now) for each in page.items], "next": page.next},
    )


@command(
    "lease show",
    scope="leases:read",
    http="GET /collab/leases/{lease}",
    target="lease",
    result=LeaseShownData,
    examples=["lease show L-3"],
)
def show(ctx: Context, lease: LeaseRef) -> Reply:
    """Show who holds a lease and how long it still lives."""
    found = leases.get_(ctx.tx, lease)
    now = ctx.tx.now
    return Reply(
        summary=f"{found.lock_id}: {found.resource} held by {found.holder}"[:150],
        blocks=(
            blocks.fields(
                ("resource", found.resource),
                ("holder", found.holder),
                ("left", _left(found, now)),
                ("fence", found.fence),
                ("heartbeat", f"{blocks.age(found.heartbeat_at, now)} ago"),
            ),
            blocks.actions(("Reclaim", f"lease reclaim {found.lock_id}")),
        ),
        data=_shown(found, now),
    )


def _holding(tx: Tx, lock_id: str) -> str:
    """What consent to a reclaim is bound to: the holder, not the heartbeat."""
    lease = leases.get_(tx, lock_id)
    return f"{lease.holder}/{lease.fence}"


@command(
    "lease reclaim",
    scope="leases:write",
    danger="risky",
    target="lease",
    fingerprint=_holding,
    result=LeaseEndedData,
    http="POST /collab/leases/{lease}/reclaim",
    examples=['lease reclaim L-3 --reason "worker died"'],
)
def reclaim(ctx: Context, lease: LeaseRef) -> Reply:
    """Take a lease away from its holder, alive or not; its task is queued again."""
    ended = board.reclaim(ctx.tx, lease, reason=ctx.options.reason, is_forced=True)
    return Reply(
        summary=f"Reclaimed {ended.lease.lock_id}{_back(ended)}", data=_ended(ended)
    )


@command(
    "lease sweep",
    scope="leases:write",
    danger="write",
    result=LeasesReclaimedData,
    http="POST /collab/leases/reclaim",
    examples=["lease sweep"],
)
def sweep(ctx: Context) -> Reply:
    """Reclaim every lease whose holder fell silent, and queue their tasks again."""
    ended = board.sweep(ctx.tx)
    return Reply(
        summary=f"Reclaimed {blocks.count(len(ended), 'stale lease')}",
        data={
            "ok": True,
            "reclaimed": len(ended),
            "items": [_ended(each) for each in ended],
        },
    )


COMMANDS: Sequence[Command] = (acquire, renew, release, list_, show, reclaim, sweep)


def _lasting(ttl: timedelta | None, ttl_seconds: int | None) -> timedelta:
    """Take whichever was given; what no lease can last is refused by the service."""
    if ttl_seconds is not None:
        return timedelta(seconds=max(0, min(ttl_seconds, 10**9)))
    return DEFAULT_TTL if ttl is None else ttl


def _shown(lease: Lease, now: datetime) -> dict[str, Json]:
    return {
        **model.view(lease),
        "id": lease.lock_id,
        "expires_at": to_iso(lease.expires_at),
        "is_stale": model.is_stale(lease, now),
    }


def _ended(ended: Ended) -> dict[str, Json]:
    task = ended.task
    return {
        "ok": True,
        "lock_id": ended.lease.lock_id,
        "resource": ended.lease.resource,
        "holder": ended.lease.holder,
        "task": task.id if task else None,
        **({"task_status": task.status.value} if task else {}),
    }


def _back(ended: Ended) -> str:
    return f"; {ended.task.id} back to {ended.task.status}" if ended.task else ""


def _left(lease: Lease, now: datetime) -> str:
    seconds = int((lease.expires_at - now).total_seconds())
    return f"{seconds}s" if seconds >= 0 else f"stale for {-seconds}s"
