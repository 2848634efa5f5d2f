"""Looks at what waits for a worker; it decides nothing, claims do."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, literal_column, select

from core.database import Prepared, Tx
from core.runs.model import MANUAL
from core.runs.tables import HELD, runs

_TABLE = runs.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_HAS_STEPS: ColumnElement[bool] = literal_column(f"kind <> '{MANUAL}'")
_IS_QUEUED: ColumnElement[bool] = literal_column("status = 'queued'")
_IS_DUE: ColumnElement[bool] = literal_column("status IN ('scheduled', 'retry_wait')")
_COLUMNS = (_TABLE.id, _TABLE.version)
_QUEUED = Prepared(
    select(*_COLUMNS)
    .where(_OWN, _IS_QUEUED, _HAS_STEPS)
    .order_by(_TABLE.lane, _TABLE.precedence, _TABLE.available_at, _TABLE.number)
    .limit(bindparam("most"))
)
_DUE = Prepared(
    select(*_COLUMNS)
    .where(_OWN, _IS_DUE, _HAS_STEPS, _TABLE.available_at <= bindparam("now"))
    .order_by(_TABLE.available_at)
    .limit(bindparam("most"))
)


_ORDERED = Prepared(
    select(_TABLE.id, _TABLE.status).where(
        _OWN,
        literal_column(f"({HELD})"),
        literal_column("status IN ('paused', 'cancelling')"),
    )
)


class Waiting(NamedTuple):
    """A run that a worker could take, and the version of it that was seen."""

    run_id: str
    version: int


def has_some(tx: Tx) -> bool:
    """Tell whether a run with steps waits for a worker now."""
    return bool(list_first(tx, most=1))


def list_first(tx: Tx, *, most: int) -> Sequence[Waiting]:
    """List runs with steps that wait for a worker now, roughly in their turn."""
    rows = tx.run(_QUEUED, most=most)
    if len(rows) < most:
        rows += tx.run(_DUE, now=tx.micros, most=most - len(rows))
    return [Waiting(run_id=row[0], version=row[1]) for row in rows]


def list_ordered(tx: Tx) -> frozenset[tuple[str, str]]:
    """List the held runs that are to wait or to end, each with its status."""
    return frozenset((row[0], row[1]) for row in tx.run(_ORDERED))
