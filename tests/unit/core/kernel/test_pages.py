"""Cursors and texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.pages import page_size, parse_cursor, render_cursor
from core.kernel.problems import InvalidArgument, InvalidQuery
from core.kernel.texts import require_line, require_text


@given(st.integers(min_value=0, max_value=10**18 - 1))
def test_a_cursor_reads_back_as_the_position_it_was_made_of(position: int) -> None:
    assert parse_cursor(render_cursor(position)) == position


@given(st.text())
def test_a_foreign_cursor_is_refused_and_never_crashes(text: str) -> None:
    try:
        position = parse_cursor(text)
    except InvalidQuery:
        return
    assert render_cursor(position) == text


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_has_one_to_a_hundred_rows(limit: int) -> None:
    with pytest.raises(InvalidQuery):
        page_size(limit)


@given(st.text())
def test_a_text_is_kept_as_it_is_or_refused(text: str) -> None:
    try:
        kept = require_text("body", text, limit=20)
    except InvalidArgument:
        return
    assert kept == text
    assert kept.encode().decode() == text


@pytest.mark.parametrize(
    "text", ["", "  ", "a\nb", "a\u2028b", "a\0b", "\ud800", "x" * 9]
)
def test_what_cannot_stand_on_one_short_line_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        require_line("title", text, limit=8)

    assert refusal.value.extra["field"] == "title"
