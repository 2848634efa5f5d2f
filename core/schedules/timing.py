"""When a schedule is due: by a cron line, once, or again and again; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice, takewhile

from core.kernel.clock import to_iso
from core.kernel.problems import InvalidArgument
from core.schedules import cron as crons

SHORTEST = timedelta(seconds=10)
LONGEST = timedelta(days=3_660)

_MICRO = timedelta(microseconds=1)


class Kind(StrEnum):
    """The three ways to say when."""

    CRON = "cron"
    AT = "at"
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When something is due: one of `cron`, `every` or `at` alone.

    Shape:  `cron` has five fields, meant in `zone`. `at` is the one moment; together
            with `every` it is what that counts from, and itself not due.
    """

    zone: str
    cron: str = ""
    at: datetime | None = None
    every: timedelta = timedelta()

    @property
    def kind(self) -> Kind:
        """The way in which this says when."""
        if self.cron:
            return Kind.CRON
        return Kind.EVERY if self.every else Kind.AT


def parse_timing(
    *, zone: str, now: datetime, cron: str, at: datetime | None, every: timedelta | None
) -> Timing:
    """Read when something is to be due; what repeats counts from `now`.

    Units:  a cron line comes at most once a minute, `every` at most once in 10 s.
    Raises: InvalidArgument for none or several of the three, for what never comes or
            comes too often, for a moment that is past, and for an unknown zone.
    """
    crons.zone_of(zone)
    if sum((bool(cron), at is not None, every is not None)) != 1:
        raise InvalidArgument(
            "a schedule is due by one of --cron, --at and --every",
            fix=['--cron "0 7 * * 1-5"', "--at 2026-12-01T09:00Z", "--every 15m"],
            argument="cron",
        )
    if cron:
        return Timing(zone=zone, cron=crons.parse_cron(cron))
    if every is not None:
        _require_length(every)
        return Timing(zone=zone, at=now.replace(microsecond=0), every=every)
    if at is not None and at <= now:
        raise InvalidArgument(
            f"{to_iso(at)} is past",
            fix=["--at with a moment to come", "run the command itself now"],
            argument="at",
        )
    return Timing(zone=zone, at=at)


def after(timing: Timing, moment: datetime) -> Iterator[datetime]:
    """Go through the moments after one, the first one first; aware UTC, ever growing."""
    match timing.kind:
        case Kind.CRON:
            yield from crons.after(timing.cron, timing.zone, moment)
        case Kind.EVERY:
            yield from _counted(timing, _steps(timing, moment) + 1, 1)
        case Kind.AT if timing.at is not None and timing.at > moment:
            yield timing.at


def next_after(timing: Timing, moment: datetime) -> datetime | None:
    """Find the first moment after one; None when there is none any more."""
    return next(after(timing, moment), None)


def next_from(timing: Timing, moment: datetime) -> datetime | None:
    """Find the first moment from one on, itself included."""
    return next_after(timing, moment - _MICRO)


def preview(
    timing: Timing, moment: datetime, count: int, *, is_after: bool = True
) -> Sequence[datetime]:
    """List the next moments after one, or from one on, at most so many."""
    begin = moment if is_after else moment - _MICRO
    return list(islice(after(timing, begin), count))


def newest(
    timing: Timing, *, since: datetime, until: datetime, most: int
) -> Sequence[datetime]:
    """List the last moments from one to another, both included, in order."""
    back = takewhile(lambda each: each >= since, _back(timing, until))
    return list(islice(back, most))[::-1]


def in_words(timing: Timing) -> str:
    """Say in English when something is due."""
    match timing.kind:
        case Kind.CRON:
            return f"{crons.in_words(timing.cron)} ({timing.zone})"
        case Kind.EVERY:
            return f"every {_length(timing.every)}"
        case Kind.AT:
            return _once(timing.at, timing.zone) if timing.at else "never"


def _once(moment: datetime, zone: str) -> str:
    local = moment.astimezone(crons.zone_of(zone)).isoformat(timespec="seconds")
    return f"once, at {local} ({zone})"


def _back(timing: Timing, moment: datetime) -> Iterator[datetime]:
    """Go through the moments up to one, itself included, the last one first."""
    match timing.kind:
        case Kind.CRON:
            yield from crons.until(timing.cron, timing.zone, moment)
        case Kind.EVERY:
            yield from _counted(timing, _steps(timing, moment), -1)
        case Kind.AT if timing.at is not None and timing.at <= moment:
            yield timing.at


def _steps(timing: Timing, moment: datetime) -> int:
    """Count how often `every` fits between its begin and a moment."""
    assert timing.at is not None
    return max((moment - timing.at) // timing.every, 0)


def _counted(timing: Timing, number: int, step: int) -> Iterator[datetime]:
    assert timing.at is not None
    while number > 0:
        yield timing.at + number * timing.every
        number += step


def _require_length(every: timedelta) -> None:
    if not SHORTEST <= every <= LONGEST or every % timedelta(seconds=1):
        raise InvalidArgument(
            f"--every {_length(every)} is not between 10 s and ten years, "
            "in whole seconds",
            fix=["--every 10s", "--every 15m", "--every 1d"],
            argument="every",
        )


def _length(length: timedelta) -> str:
    """Write a length such as `2h30m`."""
    rest, parts = length // timedelta(seconds=1), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"
