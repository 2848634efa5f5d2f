"""Times and durations as people write them: `15m`, `tomorrow 9am`, ISO 8601."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import isfinite
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from commands.words import shown
from core.kernel.problems import InvalidArgument

_LONGEST = timedelta(days=36_525)
_MICRO = timedelta(microseconds=1)
_MINUTE = timedelta(minutes=1)
_YEARS = range(1970, 9_999)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_WEEKDAYS = (
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
)
_NEAR_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}

_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_PART = re.compile(rf"({_NUMBER})(ms|[smhdw])")
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|[smhdw]))+")
_ISO_DURATION = re.compile(
    rf"P(?:(?P<w>{_NUMBER})W)?(?:(?P<d>{_NUMBER})D)?"
    rf"(?:T(?:(?P<h>{_NUMBER})H)?(?:(?P<m>{_NUMBER})M)?(?:(?P<s>{_NUMBER})S)?)?"
)
_DAY = re.compile(rf"({'|'.join((*_NEAR_DAYS, *_WEEKDAYS))})(?:\s+(?:at\s+)?(.+))?")
_CLOCK = re.compile(r"([0-9]{1,2})(?::([0-9]{2}))?(?::([0-9]{2}))?\s?(am|pm)?")
_ISO_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]|\Z)", re.IGNORECASE)

_DURATION_FIX = ("write it like 90s, 15m, 2h30m or 3d",)
_TIME_FIX = ('write it like 2026-11-04T09:00Z, 15m, "tomorrow 9am" or "monday 14:00"',)


def parse_duration(text: str) -> timedelta:
    """Read `15m`, `2h30m`, `1.5h`, `500ms` or ISO 8601's `PT15M`.

    Units:  w, d, h, m, s, ms; at most a hundred years, never negative.
    Raises: InvalidArgument.
    """
    bare = text.strip()
    if _DURATION.fullmatch(bare.lower()):
        parts = _PART.findall(bare.lower())
    elif (iso := _ISO_DURATION.fullmatch(bare.upper())) and any(iso.groups()):
        parts = [(number, unit) for unit, number in iso.groupdict().items() if number]
    else:
        raise InvalidArgument(f"{shown(text)} is not a duration", fix=_DURATION_FIX)
    return _length(text, sum(_micros(number, unit) for number, unit in parts))


def is_duration(text: str) -> bool:
    """Tell whether a text is written like `2h30m`."""
    return bool(_DURATION.fullmatch(text.lower()))


def seconds(amount: float) -> timedelta:
    """Turn a number of seconds into a duration.

    Raises: InvalidArgument when it is negative, or longer than a hundred years.
    """
    if not isfinite(amount * 1_000_000):
        raise InvalidArgument("the duration is too long", fix=_DURATION_FIX)
    return _length(f"{amount:g}s", round(amount * 1_000_000))


def parse_time(
    text: str,
    *,
    now: datetime,
    timezone: str,
    is_past: bool = False,
    is_shown: bool = False,
) -> datetime:
    """Read a moment; days, clock times and zoneless ISO are meant in `timezone`.

    Shape:  aware UTC. A duration counts from `now`: ahead, or back when `is_past`; a
            weekday is the next such moment, or the last one when `is_past`. What the
            clocks show twice is the first of the two.
    Raises: InvalidArgument, also for a zone that does not exist; with `is_shown`, for
            what the clocks never show, which else is an hour later or so.
    """
    bare = " ".join(text.lower().split()) if len(text) < 64 else ""
    if bare == "now":
        return now
    if _DURATION.fullmatch(bare):
        step = parse_duration(bare)
        return _moment(text, now - step if is_past else now + step)
    if _ISO_START.match(bare):
        moment = _iso(text, bare.upper(), timezone)
    elif found := _DAY.fullmatch(bare):
        moment = _day(text, found, now.astimezone(zone_of(timezone)), is_past=is_past)
    else:
        raise InvalidArgument(f"{shown(text)} is not a time", fix=_TIME_FIX)
    if is_shown:
        _require_shown(text, moment, timezone)
    return _moment(text, moment)


def render_duration(length: timedelta) -> str:
    """Write a duration as `2h30m`; parse_duration reads back the same."""
    rest, micros = divmod(length // _MICRO, 1_000_000)
    if micros:
        return f"{rest}.{micros:06d}s"
    written = []
    for unit in ("d", "h", "m", "s"):
        count, rest = divmod(rest, int(_SECONDS[unit]))
        written.append(f"{count}{unit}" if count else "")
    return "".join(written) or "0s"


def render_time(moment: datetime) -> str:
    """Write a moment in UTC, with microseconds only when it has some."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@lru_cache(maxsize=1_024)
def zone_of(name: str) -> tzinfo:
    """Find a time zone by its name, such as `Europe/Berlin`.

    Raises: InvalidArgument when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise InvalidArgument(
            f"{shown(name)} is not a time zone", fix=["use a name like Europe/Berlin"]
        ) from fault


def _micros(number: str, unit: str) -> int:
    return round(float(number) * _SECONDS[unit.lower()] * 1_000_000)


def _length(text: str, micros: int) -> timedelta:
    if not 0 <= micros <= _LONGEST // _MICRO:
        raise InvalidArgument(
            f"{shown(text)} is not within a hundred years", fix=_DURATION_FIX
        )
    return timedelta(microseconds=micros)


def _iso(text: str, written: str, timezone: str) -> datetime:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as fault:
        raise InvalidArgument(f"{shown(text)} is not a time", fix=_TIME_FIX) from fault
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(timezone))
    return moment


def _require_shown(text: str, moment: datetime, timezone: str) -> None:
    """Refuse what clocks never show, as they are put forward past it.

    Raises: InvalidArgument, which names the moments around it.
    """
    end = moment.replace(second=0, microsecond=0)
    if _is_shown(end):
        return
    while not _is_shown(end):
        end += _MINUTE
    after = end.astimezone(UTC).astimezone(end.tzinfo)
    before = (end.astimezone(UTC) - _MINUTE).astimezone(end.tzinfo)
    fix = [each.isoformat(timespec="minutes") for each in (before, after)]
    raise InvalidArgument(
        f"{shown(text)} is never shown in {timezone}: after {before:%H:%M} its clocks "
        f"go on with {after:%H:%M}",
        fix=[f"--at {each}" for each in fix],
        argument="at",
    )


def _is_shown(moment: datetime) -> bool:
    try:
        back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return True
    return back.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _moment(text: str, moment: datetime) -> datetime:
    """Move to UTC; what lies outside of the years that can be stored is refused."""
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = datetime.min.replace(tzinfo=UTC)
    if in_utc.year not in _YEARS:
        raise InvalidArgument(
            f"{shown(text)} is too far away",
            fix=[f"use a year from {_YEARS[0]} to {_YEARS[-1]}"],
        )
    return in_utc


def _day(
    text: str, found: re.Match[str], local: datetime, *, is_past: bool
) -> datetime:
    word, clock = found[1], _clock(text, found[2])
    if word in _NEAR_DAYS:
        day = local.date() + timedelta(days=_NEAR_DAYS[word])
        return _at(day, clock, local)
    ahead = (_WEEKDAYS.index(word) - local.weekday()) % 7
    moment = _at(local.date() + timedelta(days=ahead), clock, local)
    if is_past and moment > local:
        moment = _at(moment.date() - timedelta(days=7), clock, local)
    elif not is_past and moment <= local:
        moment = _at(moment.date() + timedelta(days=7), clock, local)
    return moment


def _at(day: date, clock: time, local: datetime) -> datetime:
    return datetime.combine(day, clock, tzinfo=local.tzinfo)


def _clock(text: str, written: str | None) -> time:
    """Read `9am`, `14:00`, `9:30 pm`; a day alone begins at midnight."""
    if written is None:
        return time()
    found = _CLOCK.fullmatch(written)
    if found is None or not (found[2] or found[4]):
        raise InvalidArgument(f"{shown(text)} has no clock time in it", fix=_TIME_FIX)
    hour = int(found[1])
    if found[4]:
        hour = hour % 12 + (12 if found[4] == "pm" else 0) if 1 <= hour <= 12 else 99
    try:
        return time(hour, int(found[2] or 0), int(found[3] or 0))
    except ValueError as fault:
        raise InvalidArgument(
            f"{shown(text)} has no such hour", fix=_TIME_FIX
        ) from fault
