"""Tables: Slack's own while there is one of them and it fits, else in monospace."""

from collections.abc import Sequence
from itertools import chain

from channels.slack.blocks import SECTION_CHARS, KitBlock, cut, section
from channels.slack.escapes import escape
from core.kernel.jsons import Json
from core.kernel.reply import Table

ROWS_SHOWN = 20
COLUMNS = 20
CELLS_CHARS = 6_000
_CELL_CHARS = 500
_MONOSPACE_CELL = 40
_PINGS = ("!", "@", "#")

Rows = list[list[str]]


def names_rows(table: Table, items: Json) -> bool:
    """Tell whether `#3` means the third row: when each stands for an object."""
    return (
        isinstance(items, list)
        and len(items) == len(table.rows)
        and all(isinstance(each, dict) and "id" in each for each in items)
    )


def rows_of(table: Table, *, is_numbered: bool) -> Rows:
    """Return the heading and the rows that a message shows, all of one length.

    Shape:  numbered rows begin with what `#3` names. At most 20 rows.
    """
    columns = ["#", *table.columns] if is_numbered else list(table.columns)
    rows = [columns]
    for number, row in enumerate(table.rows[:ROWS_SHOWN], 1):
        cells = [str(number), *row] if is_numbered else list(row)
        rows.append((cells + [""] * len(columns))[: len(columns)])
    return [[" ".join(cell.split()) for cell in row] for row in rows]


def fits(rows: Rows) -> bool:
    """Tell whether Slack's own table can hold them."""
    chars = sum(min(len(cell), _CELL_CHARS) for cell in chain.from_iterable(rows))
    return 0 < len(rows[0]) <= COLUMNS and chars <= CELLS_CHARS


def as_table(rows: Rows) -> KitBlock:
    """Show rows in a `table` block, whose cells are text and never formatted."""
    cells: list[Json] = [
        [{"type": "raw_text", "text": _cell(each)} for each in row] for row in rows
    ]
    return {"type": "table", "rows": cells}


def as_monospace(rows: Rows) -> list[KitBlock]:
    """Show rows in columns of one width; as many sections as that takes."""
    if not rows[0]:
        return []
    cells = [[cut(cell, _MONOSPACE_CELL) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    return [section(f"```\n{part}\n```") for part in _pages(lines)]


def counted(table: Table) -> str:
    """Say how many rows there are besides those shown, "" when these are all."""
    shown = min(len(table.rows), ROWS_SHOWN)
    total = table.total if table.total is not None else len(table.rows)
    if table.next:
        return f"{shown} shown; `more` continues"
    return f"{shown} of {total} shown" if total > shown else ""


def _cell(text: str) -> str:
    """Write a cell: never empty, and without what pings where cells are formatted."""
    shown = text if len(text) <= _CELL_CHARS else text[: _CELL_CHARS - 1] + "…"
    for mark in _PINGS:
        shown = shown.replace(f"<{mark}", f"<\u2060{mark}")
    return shown or "–"


def _pages(lines: Sequence[str]) -> list[str]:
    pages: list[str] = []
    page = ""
    for line in lines:
        safe = escape(cut(line.replace("`", "'"), SECTION_CHARS - 20))
        if page and len(page) + len(safe) + 1 > SECTION_CHARS - 10:
            pages.append(page)
            page = ""
        page = f"{page}\n{safe}" if page else safe
    return [*pages, page] if page else pages
