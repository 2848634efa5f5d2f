"""How long a failed run waits (M-RUN-17)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.codec import parse_rule, render, show_rule
from core.runs.model import Backoff, RetryRule
from core.runs.retries import longest_pause, may_retry, pause

SECOND = timedelta(seconds=1)
RULES = st.builds(
    RetryRule,
    max_attempts=st.integers(1, 100),
    backoff=st.sampled_from(Backoff),
    base=st.timedeltas(timedelta(0), timedelta(hours=1)),
    longest=st.timedeltas(timedelta(0), timedelta(days=1)),
    never=st.frozensets(st.text(max_size=5)),
)


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (Backoff.NONE, [0, 0, 0, 0, 0]),
        (Backoff.FIXED, [2, 2, 2, 2, 2]),
        (Backoff.LINEAR, [2, 4, 6, 8, 10]),
        (Backoff.EXPONENTIAL, [2, 4, 8, 16, 20]),
    ],
)
def test_pause_grows_as_the_rule_says(backoff: Backoff, pauses: list[int]) -> None:
    rule = RetryRule(backoff=backoff, base=2 * SECOND, longest=20 * SECOND)

    found = [longest_pause(rule, attempt) for attempt in range(1, 6)]

    assert found == [each * SECOND for each in pauses]


@given(
    RULES,
    st.integers(0, 10**9),
    st.floats(0, 1, exclude_max=True),
)
def test_jitter_is_full_and_never_beyond(
    rule: RetryRule, attempt: int, drawn: float
) -> None:
    found = pause(rule, attempt, drawn=drawn)

    assert (
        timedelta(0)
        <= found
        <= longest_pause(rule, attempt)
        <= max(rule.longest, timedelta(0))
    )


@given(RULES)
def test_rule_is_read_back_as_written(rule: RetryRule) -> None:
    read = parse_rule(render(show_rule(rule)))

    assert read.max_attempts == rule.max_attempts
    assert read.never == rule.never
    assert rule.base - read.base < timedelta(milliseconds=1)
    assert rule.longest - read.longest < timedelta(milliseconds=1)


def test_last_attempt_and_final_codes_are_not_tried_again() -> None:
    rule = RetryRule(max_attempts=3, never=frozenset({"forbidden_path"}))

    assert may_retry(rule, attempt=2, code="exit_code")
    assert not may_retry(rule, attempt=3, code="exit_code")
    assert not may_retry(rule, attempt=1, code="forbidden_path")
