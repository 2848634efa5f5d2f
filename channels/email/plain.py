"""A reply as plain text for mail: short lines, and nothing that a quote could run."""

from collections.abc import Iterator, Sequence
from typing import assert_never

from channels.email.quotes import REPLY_ABOVE
from channels.terminal import prose, tables
from channels.terminal.paint import Paper
from core.kernel.reply import (
    Action,
    Actions,
    Code,
    ErrorBlock,
    Fields,
    Link,
    Progress,
    Reply,
    Table,
    Text,
    Undo,
)

WIDTH = 72
MOST_ROWS = 50
MOST_CODE_LINES = 100

_PAPER = Paper(width=WIDTH, has_colour=False)
_BAR_CELLS = 20
_INDENT = "    "


def lay_out(reply: Reply) -> Iterator[str]:
    """Yield the lines of a sanitised reply: its summary first, then its blocks.

    Shape:  no line is wider than WIDTH but what must stay whole: code, commands, links
            and the text that somebody wrote.
    """
    yield reply.summary
    yield REPLY_ABOVE
    for block in reply.blocks:
        yield ""
        match block:
            case Table():
                yield from _table(block, reply)
            case ErrorBlock():
                yield from _error(block, reply)
            case _:
                yield from _block(block)
    if reply.undo:
        yield ""
        yield from _undo(reply.undo)
    if reply.url:
        yield ""
        yield reply.url


def as_line(command: str) -> str:
    """Write a command as it must stand in a mail."""
    return command if command.startswith("!") else f"!{command}"


def beside(shown: int, total: int, what: str) -> str:
    """Say that the rest is in a file of the same mail."""
    return f"{shown} of {total} {what}; all are in the file beside this"


def _block(block: Text | Fields | Code | Progress | Link | Actions) -> Iterator[str]:
    match block:
        case Text():
            yield from block.md.split("\n")
        case Fields():
            yield from tables.grid(block.pairs, _PAPER)
        case Code():
            yield from _code(block.text.split("\n"))
        case Progress():
            yield _bar(block)
        case Link():
            yield f"{block.label}:" if block.label else ""
            yield block.url
        case Actions():
            yield from _actions(block.items)
        case _:
            assert_never(block)


def _table(table: Table, reply: Reply) -> Iterator[str]:
    columns, rows = table.columns, table.rows[:MOST_ROWS]
    if isinstance(reply.data.get("items"), list):
        columns, rows = tables.numbered(columns, rows)
    if not rows:
        return
    heading, *body = tables.lay_out(columns, rows, _PAPER)
    yield heading
    yield "-" * max(map(len, (heading, *body)))
    yield from body
    if len(table.rows) > MOST_ROWS:
        yield beside(MOST_ROWS, len(table.rows), "rows")
    if table.next:
        yield "There are more; reply with a line that says: more"


def _code(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"{_INDENT}{line}" for line in lines[:MOST_CODE_LINES])
    if len(lines) > MOST_CODE_LINES:
        yield beside(MOST_CODE_LINES, len(lines), "lines")


def _error(error: ErrorBlock, reply: Reply) -> Iterator[str]:
    known = reply.error
    status = f" {known.status}" if known and known.title == error.title else ""
    yield from prose.wrap(f"ERROR{status} {error.title}", WIDTH)
    yield from prose.wrap(error.detail, WIDTH)
    yield from (f"try: {each}" for each in error.fix)


def _actions(items: Sequence[Action]) -> Iterator[str]:
    """Offer lines to reply with; the star keeps a quote of them from being commands."""
    shown = [each for each in items if each.command]
    if not shown:
        return
    yield "Reply with one of these lines:"
    for each in shown:
        yield f"  * {as_line(each.command)}"
        yield f"      {each.label}"


def _undo(undo: Undo) -> Iterator[str]:
    yield f"To take it back until {undo.until}, reply with:"
    yield f"  * {as_line(undo.command)}"


def _bar(progress: Progress) -> str:
    total = max(progress.total, 1)
    done = min(max(progress.done, 0), total)
    filled = _BAR_CELLS * done // total
    step = f"  {progress.steps[-1]}" if progress.steps else ""
    bar = "#" * filled + "." * (_BAR_CELLS - filled)
    return f"[{bar}] {progress.done}/{progress.total}{step}"
