"""How the queue stands: how much waits, how much is held, how old the oldest is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, case, func, literal_column, select

from core.database import Prepared, Tx
from core.kernel.clock import from_micros
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.runs.lanes.model import DEFAULTS, LaneFigures
from core.runs.reports import LEASE
from core.runs.tables import HELD, runs

_TABLE = runs.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_IS_QUEUED: ColumnElement[bool] = literal_column("status = 'queued'")
_IS_HELD: ColumnElement[bool] = literal_column(f"({HELD})")
_QUEUED = Prepared(
    select(_TABLE.lane, func.count(), func.min(_TABLE.available_at))
    .where(_OWN, _IS_QUEUED)
    .group_by(_TABLE.lane)
)
_HELD_ROWS = Prepared(
    select(
        _TABLE.lane,
        func.count(),
        func.sum(
            case(
                (_TABLE.lease_expires_at < bindparam("late"), literal_column("1")),
                else_=literal_column("0"),
            )
        ),
    )
    .where(_OWN, _IS_HELD)
    .group_by(_TABLE.lane)
)
_WAITING = Prepared(
    select(_TABLE.lane, func.count())
    .where(
        _OWN,
        literal_column("status IN ('scheduled', 'retry_wait', 'awaiting_approval')"),
    )
    .group_by(_TABLE.lane)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """How the queue of a tenant stands now.

    Shape:  `stuck` counts held runs whose workers have been silent for so long that
            a sweep should have taken them back, and says that nobody sweeps.
    """

    queued: Mapping[Lane, int]
    held: Mapping[Lane, int]
    oldest_at: datetime | None = None
    stuck: int = 0


def read(tx: Tx) -> QueueFigures:
    """Read the figures; cost grows with what waits, not with what was ever run."""
    queued = tx.run(_QUEUED)
    held = tx.run(_HELD_ROWS, late=tx.micros - LEASE // timedelta(microseconds=1))
    oldest = min((row[2] for row in queued), default=None)
    return QueueFigures(
        queued=_by_lane({row[0]: row[1] for row in queued}),
        held=_by_lane({row[0]: row[1] for row in held}),
        oldest_at=None if oldest is None else from_micros(oldest),
        stuck=sum(int(row[2]) for row in held),
    )


def count_by_lane(tx: Tx) -> Mapping[Lane, LaneFigures]:
    """Count what stands in each lane."""
    known = read(tx)
    waiting = _by_lane({row[0]: row[1] for row in tx.run(_WAITING)})
    return {
        lane: LaneFigures(
            rule=DEFAULTS[lane],
            queued=known.queued[lane],
            held=known.held[lane],
            waiting=waiting[lane],
        )
        for lane in Lane
    }


def waited(figures: QueueFigures, now: datetime) -> float:
    """Return for how many seconds the oldest run has waited for a worker."""
    if figures.oldest_at is None:
        return 0.0
    return max(0.0, (now - figures.oldest_at).total_seconds())


def view(figures: QueueFigures, *, now: datetime) -> dict[str, Json]:
    """Show the figures as JSON; `oldest_seconds` is 0 while nothing waits."""
    return {
        "queued": {lane.value: count for lane, count in figures.queued.items()},
        "held": {lane.value: count for lane, count in figures.held.items()},
        "oldest_seconds": waited(figures, now),
        "stuck": figures.stuck,
    }


def _by_lane(counts: Mapping[str, int]) -> Mapping[Lane, int]:
    return {lane: counts.get(lane.value, 0) for lane in Lane}
