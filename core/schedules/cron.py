"""Cron lines and the moments they mean in a time zone, on days with 23 and 25 hours too.

Two kinds of lines, as Debian's cron has them. One that names its minutes and its hours
(`30 2 * * *`) means times of day: where the clock skips such a time it is the end of
the gap, and where the clock repeats it, the first of the two. One whose minute or hour
begins with a star (`*/15 * * * *`) goes on by real time: what is skipped is not there,
and what is repeated is there twice.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from core.kernel.problems import InvalidArgument

CRON_LIMIT = 200

_FIX = ('--cron "0 7 * * 1-5"', '--cron "*/15 * * * *"', '--cron "0 9 L * *"')
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
# February 29th on a given weekday comes once in 28 years, or 40 around 2100.
_FURTHEST = 366 * 41
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 (a line alone has no zone)


def parse_cron(text: str) -> str:
    """Read a cron line of five fields, and write it with one blank between them.

    Raises: InvalidArgument, also for a line that no day ever fits.
    """
    line = " ".join(text.split())
    if len(line) > CRON_LIMIT or len(line.split()) != 5:
        raise _refused(text, "which has five fields: minute, hour, day, month, weekday")
    try:
        _read(line)
    except CronSimError as fault:
        raise _refused(text, f"for it has a {str(fault).lower()}") from fault
    if next(_days(line, date(2000, 1, 1), _DAY), None) is None:
        raise _refused(text, "for no such day ever comes")
    return line


def zone_of(name: str) -> tzinfo:
    """Find a time zone by its name.

    Raises: InvalidArgument when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise InvalidArgument(
            f"{name[:40]!r} is not a time zone",
            fix=["--tz Europe/Berlin", "--tz UTC"],
            argument="tz",
        ) from fault


def in_words(line: str) -> str:
    """Say a cron line in English, such as "at 07:00 on Monday through Friday"."""
    said = _read(line).explain()
    return said[:1].lower() + said[1:]


def after(line: str, zone: str, moment: datetime) -> Iterator[datetime]:
    """Go through the moments of a line after one, the first one first.

    Shape:  aware UTC, ever growing; a line means the same moments from wherever one
            begins to look.
    """
    last = moment
    for day in _days(line, moment.astimezone(zone_of(zone)).date() - _DAY, _DAY):
        for each in _moments(line, zone, day):
            if each > last:
                last = each
                yield each


def until(line: str, zone: str, moment: datetime) -> Iterator[datetime]:
    """Go through the moments of a line up to one, itself included, the last one first."""
    last = moment + _MINUTE / 60_000_000
    for day in _days(line, moment.astimezone(zone_of(zone)).date() + _DAY, -_DAY):
        for each in reversed(_moments(line, zone, day)):
            if each < last:
                last = each
                yield each


@lru_cache(maxsize=512)
def _read(line: str) -> CronSim:
    """Have the fields read; raises CronSimError."""
    return CronSim(line, _SOME_DAY)


def _days(line: str, start: date, step: timedelta) -> Iterator[date]:
    """Go through the days that a line fits, as far as any can be apart."""
    fields, day, looked = _read(line), start, 0
    while looked < _FURTHEST and date.min + _DAY < day < date.max - _DAY:
        if day.month in fields.months and fields.match_day(day):
            looked = 0
            yield day
        looked += 1
        day += step


@lru_cache(maxsize=32)
def _moments(line: str, zone: str, day: date) -> Sequence[datetime]:
    """List what a line means on one day, in order and each once.

    What a gap moves may end up at the first moment of the next day, where the line may
    mean it as well.
    """
    fields, where = _read(line), zone_of(zone)
    times = [(hour, each) for hour in fields.hours for each in fields.minutes]
    midnight, next_one = (_at(each, 0, 0, where) for each in (day, day + _DAY))
    if midnight.utcoffset() == next_one.utcoffset():
        begin = midnight.astimezone(UTC)
        return sorted(begin + timedelta(hours=h, minutes=m) for h, m in times)
    means = _by_real_time if _has_star(line) else _by_time_of_day
    found = (means(_at(day, hour, minute, where)) for hour, minute in times)
    return sorted({each.astimezone(UTC) for several in found for each in several})


def _at(day: date, hour: int, minute: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(hour, minute), zone)


def _has_star(line: str) -> bool:
    minute, hour = line.split()[:2]
    return minute.startswith("*") or hour.startswith("*")


def _by_time_of_day(moment: datetime) -> Iterator[datetime]:
    while not _exists(moment):
        moment += _MINUTE
    yield moment


def _by_real_time(moment: datetime) -> Iterator[datetime]:
    if _exists(moment):
        yield moment
        yield moment.replace(fold=1)


def _exists(moment: datetime) -> bool:
    """Tell whether the clocks of a zone ever show a time of day."""
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return back.replace(fold=0) == moment.replace(fold=0)


def _refused(text: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        f"{text[:80]!r} is no cron line, {why}", fix=_FIX, argument="cron"
    )
