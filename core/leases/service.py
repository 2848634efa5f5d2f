"""Take, keep, give back and reclaim leases.

An expired lease is lost at once, whether or not a sweep has come by: its holder can
neither renew nor release it, and whoever acquires the resource next gets a new fence.
What a client sees therefore never depends on when the sweeper ran.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from core.database import Tx
from core.events import service as events
from core.kernel.ids import LeaseId, number_of
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import Forbidden, LeaseHeld, LeaseLost, NotFound
from core.kernel.texts import require_line
from core.leases import store
from core.leases.model import DEFAULT_TTL, Lease, is_stale, require_ttl, seconds_of

_RESOURCE_LIMIT = 200
_NAME_LIMIT = 100
_REASON_LIMIT = 500


def acquire(
    tx: Tx, resource: str, *, ttl: timedelta = DEFAULT_TTL, holder: str = ""
) -> Lease:
    """Give one holder the lease on a resource; by default the principal.

    Shape:  the same holder again gets the same lock and fence, its heartbeat renewed.
    Raises: LeaseHeld while somebody else's lease has not expired.
    """
    require_line("resource", resource, limit=_RESOURCE_LIMIT)
    name = require_line("holder", holder or tx.principal.name, limit=_NAME_LIMIT)
    lasting = require_ttl(ttl)
    held = store.find_on(tx, resource)
    if held is not None and is_stale(held, tx.now):
        reclaim(tx, held.lock_id, reason="expired")
        held = None
    if held is None:
        return _insert(tx, resource, name, ttl=lasting)
    if held.holder != name or not is_owner(tx, held):
        raise _held(tx, held)
    return _beat(tx, replace(held, ttl=lasting))


def heartbeat(tx: Tx, lock_id: str, *, fence: int) -> Lease:
    """Extend a lease by its time to live, counted from now.

    Raises: NotFound, Forbidden for anybody but its holder, LeaseLost when it expired,
            ended, or has another fence.
    """
    return _beat(tx, _own(tx, lock_id, fence))


def release(tx: Tx, lock_id: str, *, fence: int) -> Lease:
    """Give a lease back.

    Raises: as `heartbeat`.
    """
    return _end(tx, _own(tx, lock_id, fence), "lease_released")


def free(tx: Tx, resource: str) -> Lease | None:
    """End whatever lease there is on a resource, because the work on it is over."""
    lease = store.find_on(tx, resource)
    return _end(tx, lease, "lease_released") if lease else None


def reclaim(tx: Tx, lock_id: str, *, reason: str, is_forced: bool = False) -> Lease:
    """Take a lease from a holder that fell silent; if forced, from a living one.

    Raises: NotFound, LeaseLost when it ended already, LeaseHeld when it is alive.
    """
    lease = get_(tx, lock_id)
    if not (is_forced or is_stale(lease, tx.now)):
        raise _held(tx, lease)
    why = require_line("reason", reason, limit=_REASON_LIMIT, least=0)
    return _end(tx, lease, "lease_reclaimed", reason=why)


def get_(tx: Tx, lock_id: str) -> Lease:
    """Get a held lease, expired or not.

    Raises: LeaseLost when it ended, NotFound when there never was one.
    """
    lease = store.find(tx, lock_id)
    if lease is not None:
        return lease
    if 0 < (number_of(lock_id, "L") or 0) <= tx.last_number("L"):
        raise LeaseLost(f"{lock_id} has ended", fix=["acquire the resource again"])
    raise NotFound(lock_id[:_NAME_LIMIT], fix=["lease list"])


def find_on(tx: Tx, resource: str) -> Lease | None:
    """Find the lease on a resource, expired or not."""
    require_line("resource", resource, limit=_RESOURCE_LIMIT)
    return store.find_on(tx, resource)


def list_(
    tx: Tx,
    *,
    is_stale: bool | None = None,
    holder: str = "",
    limit: int = 50,
    cursor: str = "",
) -> Page[Lease]:
    """List held leases, the oldest first; `is_stale` None means both kinds."""
    size = page_size(limit)
    require_line("holder", holder, limit=_NAME_LIMIT, least=0)
    found = store.list_after(
        tx,
        parse_cursor(cursor) if cursor else 0,
        limit=size + 1,
        holder=holder,
        is_stale=is_stale,
    )
    if len(found) <= size:
        return Page(found)
    last = number_of(found[size - 1].lock_id, "L") or 0
    return Page(found[:size], render_cursor(last))


def list_stale(tx: Tx, *, limit: int) -> Sequence[Lease]:
    """List leases that can be reclaimed, the longest silent first."""
    return store.list_stale(tx, limit=limit)


def is_owner(tx: Tx, lease: Lease) -> bool:
    """Tell whether the principal took this lease, or holds it by its own name.

    A client may give any name as the holder; these two facts are verified.
    """
    return lease.taken_by == tx.principal.id or lease.holder == tx.principal.name


def _insert(tx: Tx, resource: str, holder: str, *, ttl: timedelta) -> Lease:
    lease = Lease(
        lock_id=LeaseId(tx.new_id("L")),
        resource=resource,
        holder=holder,
        acquired_at=tx.now,
        ttl=ttl,
        heartbeat_at=tx.now,
        fence=tx.next_fence(),
        taken_by=tx.principal.id,
    )
    store.insert(tx, lease)
    _tell(tx, lease, "lease_acquired")
    return lease


def _beat(tx: Tx, lease: Lease) -> Lease:
    renewed = replace(lease, heartbeat_at=tx.now)
    store.update_beat(tx, renewed)
    _tell(tx, renewed, "lease_renewed")
    return renewed


def _end(tx: Tx, lease: Lease, event: str, *, reason: str = "") -> Lease:
    store.delete(tx, lease.lock_id)
    _tell(tx, lease, event, reason=reason)
    return lease


def _tell(tx: Tx, lease: Lease, event: str, *, reason: str = "") -> None:
    tx.bump("locks")
    why = {"reason": reason} if reason else {}
    events.append(
        tx,
        event,
        target=lease.resource,
        lock_id=lease.lock_id,
        holder=lease.holder,
        fence=lease.fence,
        ttl_seconds=seconds_of(lease.ttl),
        **why,
    )


def _own(tx: Tx, lock_id: str, fence: int) -> Lease:
    lease = get_(tx, lock_id)
    if not is_owner(tx, lease):
        raise Forbidden(
            f"{lock_id} belongs to {lease.holder}", fix=[f"lease reclaim {lock_id}"]
        )
    if lease.fence != fence:
        raise LeaseLost(f"{fence} is not the fence of {lock_id}", fix=["stop the work"])
    if is_stale(lease, tx.now):
        raise LeaseLost(
            f"{lock_id} expired",
            fix=["acquire the resource again"],
        )
    return lease


def _held(tx: Tx, lease: Lease) -> LeaseHeld:
    return LeaseHeld(
        lease.resource,
        lock_id=lease.lock_id,
        holder=lease.holder,
        expires_in=lease.expires_at - tx.now,
    )
