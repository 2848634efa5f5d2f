"""Queries over the lease table."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, literal_column, select

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import LeaseId, number_of
from core.leases.model import Lease, seconds_of
from core.leases.tables import leases

_COLUMNS = (
    leases.c.id,
    leases.c.resource,
    leases.c.holder,
    leases.c.acquired_at,
    leases.c.ttl_seconds,
    leases.c.heartbeat_at,
    leases.c.fence,
    leases.c.taken_by,
)
# Prepared statements take named values alone, hence the literal columns below.
_MINE = leases.c.tenant_id == bindparam("tenant")
_BY_ID = Prepared(select(*_COLUMNS).where(_MINE, leases.c.id == bindparam("lock_id")))
_BY_RESOURCE = Prepared(
    select(*_COLUMNS).where(_MINE, leases.c.resource == bindparam("resource"))
)
_ALL = Prepared(select(*_COLUMNS).where(_MINE).order_by(leases.c.number))
_STALE = Prepared(
    select(*_COLUMNS)
    .where(_MINE, leases.c.expires_at < bindparam("now"))
    .order_by(leases.c.expires_at, leases.c.number)
    .limit(bindparam("most"))
    .offset(literal_column("0"))
)
_BEAT = Prepared(
    leases.update()
    .where(_MINE, leases.c.id == bindparam("lock_id"))
    .values(
        ttl_seconds=bindparam("seconds"),
        heartbeat_at=bindparam("beat"),
        expires_at=bindparam("expires"),
        version=leases.c.version + literal_column("1"),
    )
)
_DELETE = Prepared(leases.delete().where(_MINE, leases.c.id == bindparam("lock_id")))


def find(tx: Tx, lock_id: str) -> Lease | None:
    """Find a held lease by its id; a text of another form is the id of none."""
    if number_of(lock_id, "L") is None:
        return None
    rows = tx.run(_BY_ID, lock_id=lock_id)
    return _to_lease(rows[0]) if rows else None


def find_on(tx: Tx, resource: str) -> Lease | None:
    """Find the one lease on a resource."""
    rows = tx.run(_BY_RESOURCE, resource=resource)
    return _to_lease(rows[0]) if rows else None


def list_all(tx: Tx) -> list[Lease]:
    """List every held lease in the order of its number."""
    return [_to_lease(row) for row in tx.run(_ALL)]


def list_stale(tx: Tx, *, limit: int) -> list[Lease]:
    """List leases whose holders fell silent, the longest silent first."""
    return [_to_lease(row) for row in tx.run(_STALE, now=tx.micros, most=limit)]


def list_after(
    tx: Tx, number: int, *, limit: int, holder: str = "", is_stale: bool | None = None
) -> Sequence[Lease]:
    """List leases beyond a number; `is_stale` None means both kinds."""
    query = (
        select(*_COLUMNS)
        .where(leases.c.tenant_id == tx.tenant, leases.c.number > number)
        .order_by(leases.c.number)
        .limit(limit)
    )
    if holder:
        query = query.where(leases.c.holder == holder)
    if is_stale is not None:
        is_past = leases.c.expires_at < tx.micros
        query = query.where(is_past if is_stale else ~is_past)
    return [_to_lease(tuple(row)) for row in tx.execute(query)]


def insert(tx: Tx, lease: Lease) -> None:
    """Store a new lease; the index on the resource lets no second one in."""
    tx.insert(
        leases,
        {
            "id": lease.lock_id,
            "number": number_of(lease.lock_id, "L"),
            "resource": lease.resource,
            "holder": lease.holder,
            "taken_by": lease.taken_by,
            "acquired_at": to_micros(lease.acquired_at),
            "ttl_seconds": seconds_of(lease.ttl),
            "heartbeat_at": to_micros(lease.heartbeat_at),
            "expires_at": to_micros(lease.expires_at),
            "fence": lease.fence,
        },
    )


def update_beat(tx: Tx, lease: Lease) -> None:
    """Store a lease's new heartbeat and time to live."""
    tx.change(
        _BEAT,
        lock_id=lease.lock_id,
        seconds=seconds_of(lease.ttl),
        beat=to_micros(lease.heartbeat_at),
        expires=to_micros(lease.expires_at),
    )


def delete(tx: Tx, lock_id: LeaseId) -> None:
    """Remove a lease that ended."""
    tx.change(_DELETE, lock_id=lock_id)


def _to_lease(row: Row) -> Lease:
    lock_id, resource, holder, acquired_at, seconds, heartbeat_at, fence, taken_by = row
    return Lease(
        lock_id=lock_id,
        resource=resource,
        holder=holder,
        acquired_at=from_micros(acquired_at),
        ttl=timedelta(seconds=seconds),
        heartbeat_at=from_micros(heartbeat_at),
        fence=fence,
        taken_by=taken_by,
    )
