"""Blocks that several commands show the same way."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from commands.context import Context
from core.kernel.clock import to_iso
from core.kernel.reply import Action, Actions, Fields, Reply, Table, Undo

UNDO_WINDOW = timedelta(minutes=10)


def actions(*pairs: tuple[str, str]) -> Actions:
    """Offer (label, command) pairs; the first is the one most people want."""
    return Actions(
        items=tuple(
            Action(label=label, command=line, style="primary" if place == 0 else "")
            for place, (label, line) in enumerate(pairs)
        )
    )


def fields(*pairs: tuple[str, object]) -> Fields:
    """Show names and values; empty values are left out."""
    return Fields(
        pairs=tuple(
            (name, str(value)) for name, value in pairs if value not in ("", None)
        )
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, next: str | None = None
) -> Table:
    """Show rows under columns; None is shown as nothing."""
    shown = tuple(
        tuple("" if cell is None else str(cell) for cell in row) for row in rows
    )
    return Table(
        columns=tuple(columns),
        rows=shown,
        total=None if next else len(shown),
        next=next,
    )


def undo(ctx: Context, line: str) -> Undo:
    """Offer to take the effect back for ten minutes."""
    return Undo(command=line, until=to_iso(ctx.tx.now + UNDO_WINDOW))


def count(number: int, noun: str) -> str:
    """Write `1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(moment: datetime, now: datetime) -> str:
    """Write how long ago something was: `4s`, `12m`, `3h`, `2d`."""
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def empty(summary: str, *pairs: tuple[str, str]) -> Reply:
    """Say that there is nothing yet, and what to do next."""
    return Reply(
        summary=summary, blocks=(actions(*pairs),), data={"items": [], "next": None}
    )
