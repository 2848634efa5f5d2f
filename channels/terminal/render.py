"""A Reply as terminal text: its summary first, then its blocks."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import assert_never

from rich.cells import cell_len

from channels.terminal import prose, tables
from channels.terminal.paint import Ink, Paper, fit, pad
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
)

_SUMMARY_INK = {
    ReplyStatus.OK: Ink.BOLD,
    ReplyStatus.ERROR: Ink.BAD,
    ReplyStatus.RUNNING: Ink.BOLD,
    ReplyStatus.NEEDS_CONFIRMATION: Ink.WARN,
}
_ACTION_INK = {"primary": Ink.GOOD, "danger": Ink.BAD}
_BAR_CELLS = 20


def render(reply: Reply, *, width: int, colour: bool) -> str:
    """Write a sanitised reply for a terminal.

    Shape:  the first line is the summary; no line is wider than `width` but what must
            stay whole (summary, code, addresses, the line that undoes); with `colour` there are SGR and OSC 8 sequences
            and nothing else that a terminal obeys. No newline at the end.
    """
    paper = Paper(width=max(width, 1), has_colour=colour)
    is_listed = isinstance(reply.data.get("items"), list)
    lines = [paper.paint(reply.summary, _SUMMARY_INK[reply.status])]
    numbers = count(1)
    for block in reply.blocks:
        match block:
            case Table():
                lines += _table(block, paper, is_listed=is_listed)
            case Actions():
                lines += _actions(block.items, paper, numbers)
            case _:
                lines += _block(block, paper)
    if reply.undo:
        lines.append(paper.paint(f"undo: {reply.undo.command}", Ink.DIM))
    return "\n".join(lines)


def render_progress(progress: Progress, *, width: int, colour: bool) -> str:
    """Write progress as one line that can be drawn over the one before."""
    paper = Paper(width=width, has_colour=colour)
    return paper.paint(_bar(progress, paper), Ink.GOOD)


def _block(
    block: Text | Fields | Code | Progress | Link | ErrorBlock, paper: Paper
) -> Iterator[str]:
    match block:
        case Text():
            yield from prose.lay_out(block.md, paper)
        case Fields():
            yield from tables.grid(block.pairs, paper)
        case Code():
            yield block.text
        case Progress():
            yield paper.paint(_bar(block, paper), Ink.GOOD)
        case Link():
            yield paper.link(block.label, block.url)
        case ErrorBlock():
            yield from _panel(block, paper)
        case _:
            assert_never(block)


def _table(table: Table, paper: Paper, *, is_listed: bool) -> Iterator[str]:
    columns, rows = table.columns, table.rows
    if is_listed:
        columns, rows = tables.numbered(columns, rows)
    if rows:
        yield from tables.lay_out(columns, rows, paper)
    shown = len(table.rows)
    total = f" of {table.total}" if table.total is not None else ""
    if table.next:
        yield paper.paint(f"{shown}{total} shown; `more` continues", Ink.DIM)
    elif table.total is not None and table.total > shown:
        yield paper.paint(f"{shown}{total} shown", Ink.DIM)


def _actions(
    items: Sequence[Action], paper: Paper, numbers: Iterator[int]
) -> Iterator[str]:
    """Number the buttons; the command beside one is what choosing it runs."""
    for item in items:
        label = f"[{next(numbers)}] {item.label}"
        room = paper.width - cell_len(label) - 2
        line = paper.paint(label, _ACTION_INK.get(item.style, Ink.PLAIN))
        if item.command and room > 0:
            line += "  " + paper.paint(fit(item.command, room), Ink.DIM)
        yield line


def _panel(error: ErrorBlock, paper: Paper) -> Iterator[str]:
    """Draw a frame around what is wrong and what may help."""
    room = max(paper.width - 4, 1)
    body = [
        line
        for text in (error.detail, *(f"try: {each}" for each in error.fix))
        for line in prose.wrap(text, room)
    ]
    title = fit(error.title, room)
    inner = max(map(cell_len, (*body, title)))
    yield paper.paint(f"╭ {title} {'─' * (inner - cell_len(title))}╮", Ink.BAD)
    bar = paper.paint("│", Ink.BAD)
    for line in body:
        yield f"{bar} {pad(line, inner)} {bar}"
    yield paper.paint(f"╰{'─' * (inner + 2)}╯", Ink.BAD)


def _bar(progress: Progress, paper: Paper) -> str:
    total = max(progress.total, 1)
    done = min(max(progress.done, 0), total)
    filled = _BAR_CELLS * done // total
    drawn = "█" * filled + "░" * (_BAR_CELLS - filled)
    step = f"  {progress.steps[-1]}" if progress.steps else ""
    return fit(f"{drawn} {progress.done}/{progress.total}{step}", paper.width)


def commands_of(blocks: Sequence[Block]) -> list[str]:
    """List the lines behind `[1]`, `[2]`, … in the order they are numbered."""
    return [
        item.command
        for block in blocks
        if isinstance(block, Actions)
        for item in block.items
    ]
