"""End what is late: silent workers, deadlines, what nobody claimed in time.

Any number of processes may sweep: a run changes in one unit under its tenant's head.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, literal_column, select

from core.database import Prepared, Tx
from core.kernel.clock import to_iso
from core.runs import claims, endings
from core.runs.changes import ended
from core.runs.model import Run, RunError, RunStatus
from core.runs.store import COLUMNS, OWN, to_runs
from core.runs.tables import HELD, runs
from core.runs.workers import service as workers

AT_ONCE = 100

_TABLE = runs.c
_SILENT = Prepared(
    select(*COLUMNS)
    .where(OWN, literal_column(f"({HELD})"), _TABLE.lease_expires_at < bindparam("now"))
    .order_by(_TABLE.lease_expires_at)
    .limit(bindparam("most"))
)
_PAST_DEADLINE = Prepared(
    select(*COLUMNS)
    .where(
        OWN,
        literal_column("deadline_at IS NOT NULL AND finished_at IS NULL"),
        literal_column("status <> 'cancelling'"),
        _TABLE.deadline_at < bindparam("now"),
    )
    .order_by(_TABLE.deadline_at)
    .limit(bindparam("most"))
)
_PAST_TTL = Prepared(
    select(*COLUMNS)
    .where(
        OWN,
        literal_column("ttl_at IS NOT NULL AND fence = 0"),
        literal_column("finished_at IS NULL"),
        _TABLE.ttl_at < bindparam("now"),
    )
    .order_by(_TABLE.ttl_at)
    .limit(bindparam("most"))
)
_DUE = Prepared(
    select(_TABLE.id)
    .where(
        OWN,
        literal_column("status IN ('scheduled', 'retry_wait')"),
        _TABLE.available_at <= bindparam("now"),
    )
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """How many were late in which way."""

    expired: int = 0
    timed_out: int = 0
    silent: int = 0
    due: int = 0
    lost_workers: int = 0


def has_late(tx: Tx) -> bool:
    """Tell whether there is anything to sweep."""
    return any(
        tx.run(query, now=tx.micros, most=1)
        for query in (_SILENT, _DUE, _PAST_DEADLINE, _PAST_TTL)
    ) or workers.has_silent(tx)


def sweep(tx: Tx) -> Swept:
    """End, requeue and queue what is late, at most 100 of each kind.

    Shape:  what is past its time ends first, so that it is not given out once more.
    """
    return Swept(
        expired=_each(tx, _PAST_TTL, _expire),
        timed_out=_each(tx, _PAST_DEADLINE, _time_out),
        silent=_each(tx, _SILENT, endings.take_back),
        due=claims.wake_due(tx),
        lost_workers=workers.sweep(tx),
    )


def _each(tx: Tx, query: Prepared, end: Callable[[Tx, Run], object]) -> int:
    late = to_runs(tx.run(query, now=tx.micros, most=AT_ONCE))
    for run in late:
        end(tx, run)
    return len(late)


def _expire(tx: Tx, run: Run) -> Run:
    return _over(tx, run, f"no worker took it before {_moment(run.ttl_at)}")


def _time_out(tx: Tx, run: Run) -> Run:
    return _over(tx, run, f"it was not done by {_moment(run.deadline_at)}")


def _over(tx: Tx, run: Run, detail: str) -> Run:
    error = RunError(code=endings.TIMED_OUT, detail=detail)
    return ended(
        tx, run, RunStatus.TIMED_OUT, reason=detail, error=error, is_taken=True
    )


def _moment(at: datetime | None) -> str:
    return to_iso(at) if at else ""
