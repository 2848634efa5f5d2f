"""Replies as a person reads them in a terminal."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from channels.terminal import commands_of, render, render_progress
from core.kernel.reply import (
    Action,
    Actions,
    Block,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Progress,
    Reply,
    ReplyStatus,
    Table,
    Text,
    Undo,
)

OURS = re.compile("\x1b\\[[0-9;]*m|\x1b\\]8;;[^\x1b]*\x1b\\\\")
TEXTS = st.text("ab 你é👩-", max_size=30)


def plain(*blocks: Block, width: int = 60, **facts: object) -> list[str]:
    """Render without colours and give the lines below the summary."""
    reply = Reply(summary="Done", blocks=blocks, **facts)  # type: ignore[arg-type]
    return render(reply, width=width, colour=False).split("\n")[1:]


@pytest.mark.parametrize("status", list(ReplyStatus))
def test_summary_is_the_first_line(status: ReplyStatus) -> None:
    reply = Reply(summary="2 tasks in review", status=status, blocks=(Text(md="more"),))

    assert render(reply, width=80, colour=False).split("\n")[0] == "2 tasks in review"


def test_table_is_numbered_when_its_rows_can_be_named() -> None:
    table = Table(columns=("id", "title"), rows=(("T-1", "a"), ("T-2", "b")))

    assert plain(table, data={"items": []})[1:] == ["1  T-1  a", "2  T-2  b"]
    assert plain(table)[1:] == ["T-1  a", "T-2  b"]


def test_table_says_that_there_is_more() -> None:
    table = Table(columns=("id",), rows=(("T-1",),), total=40, next="c1")

    assert plain(table)[-1] == "1 of 40 shown; `more` continues"


def test_empty_table_has_no_heading() -> None:
    assert plain(Table(columns=("id",), rows=(), total=0)) == []


@settings(deadline=None)
@given(
    st.integers(1, 90), st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=4)
)
def test_table_fits_the_width(width: int, rows: list[tuple[str, str, str]]) -> None:
    lines = plain(Table(columns=("id", "title", "who"), rows=rows), width=width)

    assert len(lines) == 1 + len(rows)
    assert all(cell_len(line) <= width for line in lines)


@settings(deadline=None)
@given(st.integers(8, 90), TEXTS, TEXTS)
def test_prose_fields_and_errors_fit_the_width(
    width: int, first: str, second: str
) -> None:
    lines = plain(
        Text(md=f"- **{first}** {second}"),
        Fields(pairs=((first, second),)),
        ErrorBlock(title=first, detail=second, fix=(first,)),
        Progress(done=1, total=2, steps=(first,)),
        width=width,
    )

    assert all(cell_len(line) <= width for line in lines)


def test_fields_are_a_grid() -> None:
    assert plain(Fields(pairs=(("id", "T-1"), ("title", "two\nlines")))) == [
        "id     T-1",
        "title  two",
        "       lines",
    ]


def test_prose_is_laid_out() -> None:
    md = "# Plan\n- see `task list`, **now**\n```\n  raw **text**\n```\n[docs](https://x.org)"

    assert plain(Text(md=md)) == [
        "Plan",
        "• see `task list`, now",
        "    raw **text**",
        "docs: https://x.org",
    ]


def test_words_are_wrapped_at_spaces() -> None:
    assert plain(Text(md="one two three"), width=8) == ["one two", "three"]


def test_code_stays_as_it_is() -> None:
    assert plain(Code(text="if x:\n    **y**"), width=4) == ["if x:", "    **y**"]


def test_error_is_a_panel_with_lines_to_try() -> None:
    error = ErrorBlock(title="Lease held", detail="bob has it", fix=("lease show L-3",))

    assert plain(error) == [
        "╭ Lease held ─────────╮",
        "│ bob has it          │",
        "│ try: lease show L-3 │",
        "╰─────────────────────╯",
    ]
    panel = render(Reply(summary="No", blocks=(error,)), width=60, colour=True)
    assert "\x1b[1;31m╭ Lease held" in panel


def test_actions_are_numbered_across_blocks_as_they_are_listed() -> None:
    approve = Actions(items=(Action(label="Approve", command="task approve T-1"),))
    cancel = Actions(items=(Action(label="Cancel", command="cancel T-1"),))

    assert plain(approve, cancel) == [
        "[1] Approve  task approve T-1",
        "[2] Cancel  cancel T-1",
    ]
    assert commands_of((approve, Text(md="x"), cancel)) == [
        "task approve T-1",
        "cancel T-1",
    ]


def test_progress_is_one_line() -> None:
    progress = Progress(done=2, total=4, steps=("build", "migrate"))

    assert plain(progress) == ["██████████░░░░░░░░░░ 2/4  migrate"]
    assert render_progress(progress, width=12, colour=False) == "██████████░…"
    assert plain(Progress(done=0, total=0)) == ["░" * 20 + " 0/0"]


def test_link_is_one_only_where_colours_are() -> None:
    reply = Reply(summary="Done", blocks=(Link(label="Open", url="https://x.org/r"),))

    assert "\x1b]8;;https://x.org/r\x1b\\Open" in render(reply, width=60, colour=True)
    assert render(reply, width=60, colour=False).endswith("Open: https://x.org/r")


def test_link_to_anything_but_the_web_is_shown_and_not_made() -> None:
    reply = Reply(summary="Done", blocks=(Link(label="Open", url="file:///etc"),))

    assert render(reply, width=60, colour=True).endswith("Open: file:///etc")


def test_undo_is_shown() -> None:
    undo = Undo(command="undo rp_1", until="2026-11-04T09:10:00Z")

    assert plain(undo=undo) == ["undo: undo rp_1"]


@settings(deadline=None)
@given(TEXTS, TEXTS, st.booleans())
def test_colours_are_all_that_is_added(
    first: str, second: str, has_colour: bool
) -> None:
    """`R-68`: of control sequences only SGR and links, and none without colours."""
    reply = Reply(
        summary="Done",
        blocks=(
            Text(md=f"**{first}** `{second}`"),
            Table(columns=("a",), rows=((first,),)),
            Link(label=first, url="https://x.org"),
            ErrorBlock(title="t", detail=second),
            Actions(items=(Action(label=first, command=second, style="primary"),)),
        ),
    )

    text = render(reply, width=40, colour=has_colour)

    assert "\x1b" not in (OURS.sub("", text) if has_colour else text)
