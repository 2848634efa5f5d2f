"""Queries over the moments at which schedules were due."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import ScheduleId
from core.schedules.model import Tick, TickState
from core.schedules.tables import schedule_ticks

_TABLE = schedule_ticks.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_THIS = (_OWN, _TABLE.schedule_id == bindparam("of"))
_ALL = schedule_ticks.select().with_only_columns(
    _TABLE.schedule_id,
    _TABLE.fire_at,
    _TABLE.state,
    _TABLE.request_id,
    _TABLE.target,
    _TABLE.detail,
    _TABLE.created_at,
)
_ONE = Prepared(_ALL.where(*_THIS, _TABLE.fire_at == bindparam("moment")))
_BY_REQUEST = Prepared(_ALL.where(_OWN, _TABLE.request_id == bindparam("of")))
_STARTED = Prepared(_ALL.where(_OWN, _TABLE.target == bindparam("of")))
_IS_OPEN = _TABLE.state.in_(
    [literal_column(f"'{each}'") for each in ("queued", "waiting", "started")]
)
_GOING_ON = Prepared(
    _ALL.where(_OWN, _TABLE.state == literal_column("'started'"))
    .order_by(_TABLE.schedule_id, _TABLE.fire_at)
    .limit(bindparam("most"))
)
_OPEN = Prepared(_ALL.where(*_THIS, _IS_OPEN).order_by(_TABLE.fire_at))
_PAGE = Prepared(
    _ALL.where(*_THIS, _TABLE.fire_at < bindparam("before"))
    .order_by(_TABLE.fire_at.desc())
    .limit(bindparam("most"))
)
_SET = Prepared(
    schedule_ticks.update()
    .where(*_THIS, _TABLE.fire_at == bindparam("moment"))
    .values(
        state=bindparam("new_state"),
        request_id=bindparam("request"),
        target=bindparam("started"),
        detail=bindparam("why"),
        version=_TABLE.version + literal_column("1"),
    )
)
_OLD = Prepared(
    _ALL.where(_OWN, _TABLE.fire_at < bindparam("before"))
    .order_by(_TABLE.fire_at)
    .limit(bindparam("most"))
)
_FORGET = Prepared(
    schedule_ticks.delete().where(*_THIS, _TABLE.fire_at == bindparam("moment"))
)


def add(tx: Tx, tick: Tick) -> None:
    """Store a moment; the primary key lets no second one in, whoever tries."""
    tx.insert(
        schedule_ticks,
        {
            "schedule_id": tick.schedule_id,
            "fire_at": to_micros(tick.fire_at),
            "state": tick.state.value,
            "request_id": tick.request_id,
            "target": tick.target,
            "detail": tick.detail,
        },
    )


def put(tx: Tx, tick: Tick) -> None:
    """Store what became of a moment."""
    tx.change(
        _SET,
        of=tick.schedule_id,
        moment=to_micros(tick.fire_at),
        new_state=tick.state.value,
        request=tick.request_id,
        started=tick.target,
        why=tick.detail,
    )


def find(tx: Tx, schedule_id: str, moment: datetime) -> Tick | None:
    """Find a moment of a schedule that was noted before."""
    rows = tx.run(_ONE, of=schedule_id, moment=to_micros(moment))
    return _to_tick(rows[0]) if rows else None


def find_by_request(tx: Tx, request_id: str) -> Tick | None:
    """Find the moment that a request belongs to."""
    rows = tx.run(_BY_REQUEST, of=request_id) if request_id else []
    return _to_tick(rows[0]) if rows else None


def list_that_started(tx: Tx, target: str) -> Sequence[Tick]:
    """List the moments that started a thing."""
    rows = tx.run(_STARTED, of=target) if target else []
    return [_to_tick(row) for row in rows]


def list_going_on(tx: Tx, *, most: int) -> Sequence[Tick]:
    """List moments of all schedules that have started something which goes on."""
    return [_to_tick(row) for row in tx.run(_GOING_ON, most=most)]


def list_open(tx: Tx, schedule_id: str) -> Sequence[Tick]:
    """List the moments of a schedule that are not over, the oldest first."""
    return [_to_tick(row) for row in tx.run(_OPEN, of=schedule_id)]


def list_before(tx: Tx, schedule_id: str, micros: int, *, most: int) -> Sequence[Tick]:
    """List a schedule's moments below one, the newest first."""
    rows = tx.run(_PAGE, of=schedule_id, before=micros, most=most)
    return [_to_tick(row) for row in rows]


def list_older(tx: Tx, than: datetime, *, most: int) -> Sequence[Tick]:
    """List moments of all schedules that lie before one, the oldest first."""
    rows = tx.run(_OLD, before=to_micros(than), most=most)
    return [_to_tick(row) for row in rows]


def forget(tx: Tx, ticks: Iterable[Tick]) -> None:
    """Remove moments."""
    for each in ticks:
        tx.change(_FORGET, of=each.schedule_id, moment=to_micros(each.fire_at))


def _to_tick(row: Row) -> Tick:
    schedule_id, fire_at, state, request_id, target, detail, created_at = row
    return Tick(
        schedule_id=ScheduleId(schedule_id),
        fire_at=from_micros(fire_at),
        state=TickState(state),
        request_id=request_id,
        target=target,
        detail=detail,
        created_at=from_micros(created_at),
    )
