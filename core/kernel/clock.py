"""Time as a dependency: aware UTC datetimes outside, integer microseconds in rows."""

from datetime import UTC, datetime, timedelta
from typing import NewType, Protocol

Micros = NewType("Micros", int)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the present as an aware UTC datetime."""
        return datetime.now(UTC)


def to_micros(moment: datetime) -> Micros:
    """Turn an aware datetime into microseconds since 1970."""
    return Micros((moment - _EPOCH) // _MICRO)


def from_micros(micros: int) -> datetime:
    """Turn microseconds since 1970 into an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=micros)


def to_iso(moment: datetime) -> str:
    """Write a moment the one way Opswire writes it: `2026-11-04T09:00:00.000000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"
