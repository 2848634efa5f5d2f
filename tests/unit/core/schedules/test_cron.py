"""Cron lines in zones, on days with 23 and 25 hours; each vector was worked out by hand.

Berlin's clocks jump from 02:00 to 03:00 on 2026-03-29 and from 03:00 to 02:00 on
2026-10-25, both at 01:00 UTC; New York's on 2026-03-08 at 07:00 UTC and on 2026-11-01 at
06:00 UTC; Lord Howe's by half an hour, on 2026-04-04 at 15:00 UTC (02:00 to 01:30) and
on 2026-10-03 at 15:30 UTC (02:00 to 02:30).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from cronsim import CronSim
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.problems import InvalidArgument
from core.schedules import cron

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
LORD_HOWE = "Australia/Lord_Howe"

# Zone, line, from when, and the moments that follow, all of 2026 in UTC.
DST: Sequence[tuple[str, str, str, Sequence[str]]] = (
    # Berlin, the day without an hour
    (
        BERLIN,
        "30 2 * * *",
        "03-28T00:00",
        ["03-28T01:30", "03-29T01:00", "03-30T00:30"],
    ),
    (BERLIN, "0 2 * * *", "03-28T00:00", ["03-28T01:00", "03-29T01:00", "03-30T00:00"]),
    (BERLIN, "0 3 * * *", "03-28T00:00", ["03-28T02:00", "03-29T01:00", "03-30T01:00"]),
    (
        BERLIN,
        "30 1 * * *",
        "03-28T00:00",
        ["03-28T00:30", "03-29T00:30", "03-29T23:30"],
    ),
    (BERLIN, "0 * * * *", "03-28T23:30", ["03-29T00:00", "03-29T01:00", "03-29T02:00"]),
    (
        BERLIN,
        "30 * * * *",
        "03-29T00:00",
        ["03-29T00:30", "03-29T01:30", "03-29T02:30"],
    ),
    (BERLIN, "*/15 * * * *", "03-29T00:30", ["03-29T00:45", "03-29T01:00"]),
    (BERLIN, "*/15 2 * * *", "03-28T12:00", ["03-30T00:00", "03-30T00:15"]),
    (BERLIN, "0 7 * * 1-5", "03-27T12:00", ["03-30T05:00", "03-31T05:00"]),
    (BERLIN, "0,30 2 * * *", "03-28T12:00", ["03-29T01:00", "03-30T00:00"]),
    (BERLIN, "0 0 * * *", "03-28T00:00", ["03-28T23:00", "03-29T22:00", "03-30T22:00"]),
    # Berlin, the day with one twice
    (BERLIN, "30 2 * * *", "10-24T12:00", ["10-25T00:30", "10-26T01:30"]),
    (BERLIN, "0 2 * * *", "10-24T12:00", ["10-25T00:00", "10-26T01:00"]),
    (BERLIN, "0 3 * * *", "10-24T12:00", ["10-25T02:00", "10-26T02:00"]),
    (BERLIN, "0 * * * *", "10-24T23:30", ["10-25T00:00", "10-25T01:00", "10-25T02:00"]),
    (
        BERLIN,
        "30 * * * *",
        "10-25T00:00",
        ["10-25T00:30", "10-25T01:30", "10-25T02:30"],
    ),
    (
        BERLIN,
        "*/30 2 * * *",
        "10-24T12:00",
        ["10-25T00:00", "10-25T00:30", "10-25T01:00", "10-25T01:30", "10-26T01:00"],
    ),
    (BERLIN, "*/15 * * * *", "10-25T00:30", ["10-25T00:45", "10-25T01:00"]),
    (BERLIN, "0 7 * * 1-5", "10-23T12:00", ["10-26T06:00", "10-27T06:00"]),
    (BERLIN, "30 2 * * *", "10-25T00:45", ["10-26T01:30"]),
    (BERLIN, "0 0 * * *", "10-24T00:00", ["10-24T22:00", "10-25T23:00"]),
    # New York
    (NEW_YORK, "30 2 * * *", "03-07T12:00", ["03-08T07:00", "03-09T06:30"]),
    (NEW_YORK, "0 * * * *", "03-08T05:30", ["03-08T06:00", "03-08T07:00"]),
    (NEW_YORK, "*/15 2 * * *", "03-07T12:00", ["03-09T06:00", "03-09T06:15"]),
    (NEW_YORK, "0 9 * * 1-5", "03-06T18:00", ["03-09T13:00", "03-10T13:00"]),
    (NEW_YORK, "30 1 * * *", "03-07T00:00", ["03-07T06:30", "03-08T06:30"]),
    (NEW_YORK, "30 1 * * *", "10-31T12:00", ["11-01T05:30", "11-02T06:30"]),
    (NEW_YORK, "0 * * * *", "11-01T04:30", ["11-01T05:00", "11-01T06:00"]),
    (
        NEW_YORK,
        "*/30 1 * * *",
        "10-31T12:00",
        ["11-01T05:00", "11-01T05:30", "11-01T06:00", "11-01T06:30", "11-02T06:00"],
    ),
    (NEW_YORK, "0 9 * * 1-5", "10-30T18:00", ["11-02T14:00", "11-03T14:00"]),
    # Lord Howe, by half an hour
    (LORD_HOWE, "15 2 * * *", "10-03T00:00", ["10-03T15:30", "10-04T15:15"]),
    (LORD_HOWE, "45 1 * * *", "04-04T00:00", ["04-04T14:45", "04-05T15:15"]),
    (LORD_HOWE, "30 * * * *", "04-04T14:15", ["04-04T14:30", "04-04T15:00"]),
)
IN_UTC: Sequence[tuple[str, str, Sequence[str]]] = (
    ("0 7 * * *", "03-28T12:00", ["03-29T07:00", "03-30T07:00"]),
    ("30 2 * * *", "03-29T00:00", ["03-29T02:30", "03-30T02:30"]),
    ("*/15 * * * *", "10-25T00:31", ["10-25T00:45", "10-25T01:00", "10-25T01:15"]),
    ("0 0 1 * *", "01-15T00:00", ["02-01T00:00", "03-01T00:00"]),
    ("0 0 L * *", "02-01T00:00", ["02-28T00:00", "03-31T00:00"]),
    ("0 0 31 * *", "04-01T00:00", ["05-31T00:00", "07-31T00:00"]),
    ("0 9 * * 1-5", "11-20T10:00", ["11-23T09:00", "11-24T09:00"]),
    ("0 0 * * 1#1", "11-01T00:00", ["11-02T00:00", "12-07T00:00"]),
    ("5 4 * * SUN", "11-21T00:00", ["11-22T04:05", "11-29T04:05"]),
    ("0 0 13 * 5", "11-12T00:00", ["11-13T00:00", "11-20T00:00"]),
    ("59 23 31 12 *", "01-01T00:00", ["12-31T23:59"]),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def test_there_are_as_many_vectors_as_were_promised() -> None:
    """R-27: 33 on days when the clocks change, 11 without a change."""
    assert (len(DST), len(IN_UTC)) == (33, 11)


@pytest.mark.parametrize(
    ("zone", "line", "begin", "wanted"),
    [*DST, *(("UTC", *each) for each in IN_UTC)],
)
def test_a_line_means_these_moments(
    zone: str, line: str, begin: str, wanted: Sequence[str]
) -> None:
    """R-27, M-JOB-06: in order from any side."""
    moments = [at(each) for each in wanted]

    ahead = list(islice(cron.after(line, zone, at(begin)), len(wanted)))
    back = list(islice(cron.until(line, zone, moments[-1]), len(wanted)))

    assert ahead == moments
    assert back[::-1] == moments


# ── what holds wherever one looks ─────────────────────────────────────────────
ZONES = st.sampled_from(
    [
        "UTC",
        BERLIN,
        NEW_YORK,
        LORD_HOWE,
        "America/Havana",
        "Africa/Cairo",
        "Asia/Kolkata",
        "Pacific/Apia",
    ]
)
MINUTES = st.sampled_from(["*", "*/7", "*/15", "0", "30", "59", "0,30", "5-20"])
HOURS = st.sampled_from(["*", "*/2", "0", "1", "2", "1-3", "23", "0,12"])
DAYS = st.sampled_from(["* * *", "* * 1-5", "* * SUN", "L * *", "1 */2 *"])
LINES = st.builds("{} {} {}".format, MINUTES, HOURS, DAYS)
MOMENTS = st.builds(
    lambda seconds: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds),
    st.integers(0, 60 * 365 * 86_400),
)
CHANGES = st.builds(
    lambda change, minutes: at(change) + timedelta(minutes=minutes),
    st.sampled_from(["03-29T01:00", "10-25T01:00", "03-08T07:00", "11-01T06:00"]),
    st.integers(-2_000, 2_000),
)
WHEN = st.one_of(MOMENTS, CHANGES)


@given(LINES, ZONES, WHEN, st.integers(0, 200_000))
def test_the_next_moment_never_goes_back(
    line: str, zone: str, moment: datetime, seconds: int
) -> None:
    """R-27: whoever looks later finds the same moment or a later one, never twice one."""
    later = moment + timedelta(seconds=seconds)

    first = next(cron.after(line, zone, moment))
    second = next(cron.after(line, zone, later))

    assert moment < first <= second
    assert second == first or first <= later


@given(LINES, ZONES, WHEN)
def test_moments_are_the_same_from_wherever_one_begins(
    line: str, zone: str, moment: datetime
) -> None:
    """Going on from each moment finds what going through them found, and back again."""
    through = list(islice(cron.after(line, zone, moment), 6))

    hopped = [moment]
    for _ in through:
        hopped.append(next(cron.after(line, zone, hopped[-1])))

    assert hopped[1:] == through == sorted(set(through))
    assert list(islice(cron.until(line, zone, through[-1]), 6))[::-1] == through


@given(LINES, st.sampled_from(["UTC", BERLIN, NEW_YORK]), CHANGES)
def test_whole_hours_agree_with_the_library(
    line: str, zone: str, moment: datetime
) -> None:
    """Its own walk is asked as well, from a midnight on, which never repeats there."""
    begin = moment.astimezone(cron.zone_of(zone)).replace(hour=0, minute=0, second=0)
    walk = CronSim(line, begin)

    found = list(islice(cron.after(line, zone, begin.astimezone(UTC)), 30))

    assert found == [next(walk).astimezone(UTC) for _ in range(30)]


# ── what is refused ───────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "line",
    [
        "",
        "* * * *",
        "* * * * * *",
        "@daily",
        "60 * * * *",
        "* 24 * * *",
        "*/0 * * * *",
        "a b c d e",
        "0 0 30 2 *",
        "0 0 31 2,4,6 *",
        f"{'1,' * 200}1 * * * *",
    ],
)
def test_what_is_no_line_or_never_comes_is_refused(line: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        cron.parse_cron(line)

    assert refused.value.fix


WORDS = st.text("0123456789*/,-#LW MONJANxX?@\n\t", max_size=40)
FIELDS = st.builds(
    " ".join, st.lists(st.text("0123456789*/,-L#", max_size=6), max_size=6)
)


@given(st.one_of(st.text(), WORDS, FIELDS))
def test_any_text_is_a_line_or_refused(text: str) -> None:
    """R-19: nothing but a refusal comes of it, and what is read comes some day."""
    try:
        line = cron.parse_cron(text)
    except InvalidArgument:
        return

    assert cron.parse_cron(line) == line
    assert next(cron.after(line, BERLIN, at("01-01T00:00"))) > at("01-01T00:00")


def test_a_megabyte_is_refused() -> None:
    for text in ("* " * 500_000, "1," * 500_000, "9" * 1_000_000):
        with pytest.raises(InvalidArgument):
            cron.parse_cron(text)


def test_blanks_do_not_matter() -> None:
    assert cron.parse_cron(" 0  7 *   * 1-5 ") == "0 7 * * 1-5"


def test_a_leap_day_is_waited_for() -> None:
    found = next(cron.after(cron.parse_cron("0 0 29 2 *"), "UTC", at("03-01T00:00")))

    assert found == datetime(2028, 2, 29, tzinfo=UTC)


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        cron.zone_of("Europe/Bielefeld")


def test_a_line_is_said_in_words() -> None:
    assert cron.in_words("0 7 * * 1-5") == "at 07:00 on Monday through Friday"
