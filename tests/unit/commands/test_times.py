"""Times and durations as people write them."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.times import parse_duration, parse_time, render_duration, render_time
from core.kernel.problems import InvalidArgument, Problem
from tests.unit.commands.sample import NOW, is_clean, outcome


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("2h30m", 9_000),
        ("3d", 259_200),
        ("1.5h", 5_400),
        ("500ms", 0.5),
        ("90S", 90),
        ("PT15M", 900),
        ("P1DT1H", 90_000),
        ("1w", 604_800),
        ("0s", 0),
    ],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "-5m", "m", "P", "PT", "1y", "999999999w", "٣m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-11-04T09:00:00Z"),
        ("15m", "2026-11-04T09:15:00Z"),
        ("2026-11-04T09:00Z", "2026-11-04T09:00:00Z"),
        ("2026-11-04T09:00+02:00", "2026-11-04T07:00:00Z"),
        ("2026-11-04T09:00", "2026-11-04T08:00:00Z"),
        ("2026-11-04 09:00", "2026-11-04T08:00:00Z"),
        ("2026-07-01", "2026-06-30T22:00:00Z"),
        ("today 14:00", "2026-11-04T13:00:00Z"),
        ("Tomorrow 9am", "2026-11-05T08:00:00Z"),
        ("tomorrow at 9:30 pm", "2026-11-05T20:30:00Z"),
        ("yesterday 12am", "2026-11-02T23:00:00Z"),
        ("monday 9am", "2026-11-09T08:00:00Z"),
        ("wednesday 9am", "2026-11-11T08:00:00Z"),
        ("wednesday 11:00", "2026-11-04T10:00:00Z"),
    ],
)
def test_moments_are_meant_in_the_person_s_zone(text: str, expected: str) -> None:
    moment = parse_time(text, now=NOW, timezone="Europe/Berlin")

    assert render_time(moment) == expected


def test_the_past_is_meant_where_the_name_says_so() -> None:
    assert parse_time("24h", now=NOW, timezone="UTC", is_past=True) == NOW - timedelta(
        days=1
    )
    monday = parse_time("monday", now=NOW, timezone="UTC", is_past=True)
    assert monday == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "tomorrow 25:00",
        "tomorrow 13pm",
        "monday 9",
        "2026-13-01",
        "0001-01-01",
        "9999-12-31T23:59-14:00",
        "2026-11-04T99:00Z",
        "today at",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_time(text, now=NOW, timezone="UTC")


@pytest.mark.parametrize(
    "zone", ["", "Mars/Olympus", "../etc/passwd", "/", "x" * 300, "a\0b"]
)
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(InvalidArgument, match="time zone"):
        parse_time("today 9am", now=NOW, timezone=zone)


@given(st.text(max_size=40), st.text(max_size=20))
@settings(deadline=None)
def test_only_problems_come_of_any_text(text: str, zone: str) -> None:
    for written in (text, f"tomorrow {text}", f"2026-11-04{text}", f"{text}m"):
        moment = outcome(partial(parse_time, written, now=NOW, timezone=zone))
        assert is_clean(moment) if isinstance(moment, Problem) else moment.tzinfo is UTC


@given(st.timedeltas(timedelta(0), timedelta(days=36_000)))
@settings(deadline=None)
def test_a_rendered_duration_reads_back(length: timedelta) -> None:
    assert parse_duration(render_duration(length)) == length
