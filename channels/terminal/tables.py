"""Tables that fit: the widest columns give first, and every row stays one line."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len

from channels.terminal.paint import Ink, Paper, fit, pad

_GAP = "  "
_LEAST = 3

Row = Sequence[str]


def lay_out(columns: Row, rows: Sequence[Row], paper: Paper) -> Iterator[str]:
    """Yield a heading and a line for each row, none wider than the paper."""
    cells = [[_one_line(cell) for cell in row] for row in (columns, *rows)]
    widths = _widths(cells, paper.width)
    heading, *body = cells
    yield paper.paint(_row(heading, widths), Ink.BOLD)
    for row in body:
        yield _row(row, widths)


def numbered(columns: Row, rows: Sequence[Row]) -> tuple[Row, Sequence[Row]]:
    """Put `#n` in front of each row, which is how it can be named next."""
    return ("#", *columns), [(str(number), *row) for number, row in enumerate(rows, 1)]


def grid(pairs: Sequence[tuple[str, str]], paper: Paper) -> Iterator[str]:
    """Yield names and values in two columns; lines of a value stay below each other."""
    widest = max((cell_len(name) for name, _ in pairs), default=0)
    width = min(widest, max(paper.width // 3, 1))
    for name, text in pairs:
        for number, line in enumerate(text.split("\n")):
            label = paper.paint(pad("" if number else name, width), Ink.DIM)
            yield f"{label}{_GAP}{fit(line, paper.width - width - len(_GAP))}".rstrip()


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _row(cells: Row, widths: Sequence[int]) -> str:
    return _GAP.join(
        pad(cell, width) for cell, width in zip(cells, widths, strict=False)
    ).rstrip()


def _widths(rows: Sequence[Row], width: int) -> list[int]:
    """Give each column the room it wants, or the widest ones less of it.

    Shape:  columns that do not fit at all are missing at the end.
    """
    wanted = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    shown = max(1, min(len(wanted), (width + len(_GAP)) // (_LEAST + len(_GAP))))
    widths = wanted[:shown]
    excess = sum(widths) + len(_GAP) * (shown - 1) - width
    while excess > 0 and max(widths) > 1:
        widest = max(widths)
        level = max((each for each in widths if each < widest), default=1)
        share = [number for number, each in enumerate(widths) if each == widest]
        step = min(widest - level, -(-excess // len(share)))
        for number in share:
            taken = min(step, excess)
            widths[number] -= taken
            excess -= taken
    return widths
