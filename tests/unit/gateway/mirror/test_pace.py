"""How long a document waits for its next rewrite."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mirror.pace import PROMPT_ROWS, pause_after


@given(st.floats(0, 0.4), st.integers(0, PROMPT_ROWS))
def test_change_of_a_usual_board_shows_within_a_second(cost: float, rows: int) -> None:
    """It may miss a rewrite that has begun, and then waits for the next to end."""
    assert 2 * cost + pause_after(cost, rows=rows) < 1.0


@given(st.floats(0, 60), st.integers(PROMPT_ROWS + 1, 10**6))
def test_large_board_takes_a_twentieth_of_the_time(cost: float, rows: int) -> None:
    assert pause_after(cost, rows=rows) == pytest.approx(20 * cost)


@given(st.floats(0, 60), st.integers(0, 10**6))
def test_nothing_waits_longer_than_fifty_times_its_cost(cost: float, rows: int) -> None:
    assert 0 <= pause_after(cost, rows=rows) <= 20 * cost
