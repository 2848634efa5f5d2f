"""How long a receiver that takes nothing is left alone."""

from datetime import UTC, datetime, timedelta

from channels.webhook.pace import FAILURES_BEFORE_REST, RESTS, Pace

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
NOTHING = timedelta()
ONE, OTHER = ("default", "SB-1"), ("default", "SB-2")


def fail(pace: Pace, times: int, *, now: datetime = NOW) -> list[timedelta]:
    return [pace.note_failure(ONE, now=now) for _ in range(times)]


def test_a_few_failures_are_nobodys_rest() -> None:
    assert fail(Pace(), FAILURES_BEFORE_REST - 1) == [NOTHING] * 4


def test_the_fifth_in_a_row_begins_one() -> None:
    assert fail(Pace(), FAILURES_BEFORE_REST)[-1] == timedelta(seconds=5)


def test_a_success_between_them_starts_over() -> None:
    """One event that a receiver refuses is no reason to leave it alone."""
    pace = Pace()

    for _ in range(20):
        assert fail(pace, FAILURES_BEFORE_REST - 1)[-1] == NOTHING
        pace.note_success(ONE)


def test_what_was_under_way_does_not_lengthen_a_rest() -> None:
    pace = Pace()

    assert fail(pace, FAILURES_BEFORE_REST + 7)[-7:] == [NOTHING] * 7


def test_rests_grow_to_five_minutes() -> None:
    pace, now, rests = Pace(), NOW, []
    fail(pace, FAILURES_BEFORE_REST - 1)

    for _ in range(8):
        (rest,) = fail(pace, 1, now=now)
        rests.append(rest)
        now += rest

    assert rests == [*RESTS, RESTS[-1], RESTS[-1]]
    assert RESTS[-1] == timedelta(minutes=5)


def test_receivers_rest_each_for_themselves() -> None:
    pace = Pace()

    fail(pace, FAILURES_BEFORE_REST)

    assert pace.note_failure(OTHER, now=NOW) == NOTHING
    pace.note_success(ONE)
    assert fail(pace, 1) == [NOTHING]
