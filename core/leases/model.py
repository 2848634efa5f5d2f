"""A lease and the rules of time that it lives by; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.kernel.clock import to_iso
from core.kernel.ids import LeaseId
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

DEFAULT_TTL = timedelta(seconds=900)
SHORTEST_TTL = timedelta(seconds=1)
LONGEST_TTL = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right of one holder to work on one resource until it falls silent.

    Shape:  `fence` grows with every lease of the tenant, so that whoever stores it can
            refuse a holder that comes too late. `taken_by` is the principal's id that
            acquired it, which may differ from the name in `holder`.
    Units:  `ttl` is whole seconds, counted from the last heartbeat.
    """

    lock_id: LeaseId
    resource: str
    holder: str
    acquired_at: datetime
    ttl: timedelta
    heartbeat_at: datetime
    fence: int
    taken_by: str

    @property
    def expires_at(self) -> datetime:
        """The last moment at which the lease still holds."""
        return self.heartbeat_at + self.ttl


def is_stale(lease: Lease, now: datetime) -> bool:
    """Tell whether the holder has been silent for longer than the time to live."""
    return now > lease.expires_at


def view(lease: Lease) -> dict[str, Json]:
    """Show a lease as JSON; times in ISO 8601, `ttl_seconds` an integer."""
    return {
        "lock_id": lease.lock_id,
        "resource": lease.resource,
        "holder": lease.holder,
        "acquired_at": to_iso(lease.acquired_at),
        "ttl_seconds": seconds_of(lease.ttl),
        "heartbeat_at": to_iso(lease.heartbeat_at),
        "fence": lease.fence,
    }


def seconds_of(ttl: timedelta) -> int:
    """Count the whole seconds of a time to live."""
    return ttl // timedelta(seconds=1)


def require_ttl(ttl: timedelta) -> timedelta:
    """Return the time to live in whole seconds, if it is one we give.

    Raises: InvalidArgument outside 1 second to 24 hours.
    """
    if not SHORTEST_TTL <= ttl <= LONGEST_TTL:
        raise InvalidArgument(
            f"a lease cannot live for {ttl.total_seconds():g} s",
            fix=["use 1 s to 24 h"],
            field="ttl",
        )
    return timedelta(seconds=seconds_of(ttl))
