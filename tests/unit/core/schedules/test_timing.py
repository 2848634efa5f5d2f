"""What is due once, again and again, or by a cron line; and what is made up for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.problems import InvalidArgument
from core.schedules.model import ON_TIME, CatchUp, caught_up
from core.schedules.timing import (
    Timing,
    in_words,
    newest,
    next_after,
    next_from,
    parse_timing,
    preview,
)

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def a_timing(
    *,
    cron: str = "",
    at: datetime | None = None,
    every: timedelta | None = None,
    zone: str = "UTC",
) -> Timing:
    return parse_timing(zone=zone, now=NOW, cron=cron, at=at, every=every)


def test_once_is_due_once() -> None:
    timing = a_timing(at=NOW + MINUTE)

    assert next_after(timing, NOW) == NOW + MINUTE
    assert next_after(timing, NOW + MINUTE) is None
    assert next_from(timing, NOW + MINUTE) == NOW + MINUTE
    assert newest(timing, since=NOW, until=NOW + 2 * MINUTE, most=5) == [NOW + MINUTE]


def test_every_counts_from_when_it_was_made() -> None:
    timing = a_timing(every=timedelta(minutes=15))

    found = preview(timing, NOW + 20 * MINUTE, 3)

    assert found == [NOW + minutes * MINUTE for minutes in (30, 45, 60)]
    assert next_after(timing, NOW - timedelta(days=9)) == NOW + 15 * MINUTE


@given(st.integers(10, 100_000), st.integers(0, 10**9), st.integers(0, 10**6))
def test_every_never_goes_back_or_repeats(every: int, passed: int, more: int) -> None:
    """R-27: wherever the clock is set to, a moment is itself and the next one later."""
    timing = a_timing(every=timedelta(seconds=every))
    moment = NOW + timedelta(seconds=passed)

    first = next_after(timing, moment)
    second = next_after(timing, moment + timedelta(seconds=more))

    assert first is not None
    assert second is not None
    assert moment < first <= second
    assert (first - NOW) % timedelta(seconds=every) == timedelta()


@given(st.integers(1, 50), st.integers(0, 5_000))
def test_the_newest_ones_are_the_last_of_all(most: int, minutes: int) -> None:
    timing = a_timing(cron="*/15 * * * *", zone="Europe/Berlin")
    until = NOW + minutes * MINUTE

    found = newest(timing, since=NOW, until=until, most=most)

    whole = [NOW, *preview(timing, NOW, minutes // 15)]
    assert found == whole[-most:]


@pytest.mark.parametrize(
    ("timing", "words"),
    [
        (a_timing(every=timedelta(hours=26, minutes=5)), "every 1d2h5m"),
        (a_timing(at=NOW + MINUTE), "once, at 2026-11-04T09:01:00+00:00 (UTC)"),
        (
            a_timing(cron="30 2 * * *", zone="Europe/Berlin"),
            "at 02:30 every day (Europe/Berlin)",
        ),
    ],
)
def test_it_is_said_in_words(timing: Timing, words: str) -> None:
    assert in_words(timing) == words


def test_one_way_to_say_when_is_needed_and_no_more() -> None:
    for given_ in ({}, {"cron": "* * * * *", "every": MINUTE}):
        with pytest.raises(InvalidArgument):
            a_timing(**given_)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "every", [timedelta(seconds=9), timedelta(days=4_000), timedelta(seconds=10.5)]
)
def test_what_comes_too_often_or_too_rarely_is_refused(every: timedelta) -> None:
    with pytest.raises(InvalidArgument):
        a_timing(every=every)


def test_what_is_past_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        a_timing(at=NOW)


# ── what is made up for ───────────────────────────────────────────────────────
DUE = [NOW - 3 * MINUTE, NOW - 2 * MINUTE, NOW - 90 * MINUTE / 60]


def test_nothing_is_made_up_for() -> None:
    assert caught_up(DUE, NOW, CatchUp.NONE) == ((), DUE)


def test_a_minute_late_is_met() -> None:
    met = [NOW - 9 * MINUTE, NOW - ON_TIME]

    assert caught_up(met, NOW, CatchUp.NONE) == (met[1:], met[:1])


def test_one_is_made_up_for_the_newest() -> None:
    assert caught_up(DUE, NOW, CatchUp.ONE) == (DUE[2:], DUE[:2])


def test_all_are_made_up_for_up_to_a_hundred() -> None:
    many = [NOW - minutes * MINUTE for minutes in range(150, 0, -1)]

    fired, missed = caught_up(many, NOW, CatchUp.ALL)

    assert (len(fired), len(missed)) == (100, 50)
    assert [*missed, *fired] == many
