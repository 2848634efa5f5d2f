"""Queries over schedules."""

from collections.abc import Sequence
from datetime import timedelta

import orjson
from sqlalchemy import bindparam, func, literal_column, or_, select

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import ScheduleId, number_of
from core.kernel.jsons import canonical_json
from core.schedules.model import (
    CatchUp,
    Order,
    Overlap,
    Rules,
    Schedule,
    ScheduleStatus,
)
from core.schedules.tables import schedules
from core.schedules.timing import Timing

_TABLE = schedules.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = schedules.select().with_only_columns(
    _TABLE.id,
    _TABLE.name,
    _TABLE.command,
    _TABLE.arguments,
    _TABLE.line,
    _TABLE.cron,
    _TABLE.zone,
    _TABLE.at,
    _TABLE.every_seconds,
    _TABLE.catch_up,
    _TABLE.overlap,
    _TABLE.status,
    _TABLE.reason,
    _TABLE.paused_until,
    _TABLE.next_at,
    _TABLE.last_at,
    _TABLE.failures,
    _TABLE.owner_id,
    _TABLE.scopes,
    _TABLE.created_by,
    _TABLE.created_at,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_BY_NAME = Prepared(
    _ALL.where(_OWN, _TABLE.name == bindparam("of")).order_by(_TABLE.number).limit(1)
)
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.number > bindparam("after"))
    .order_by(_TABLE.number)
    .limit(bindparam("most"))
)
_COUNT = Prepared(select(func.count()).select_from(schedules).where(_OWN))
_IS_ACTIVE = _TABLE.status == literal_column("'active'")
_IS_PAUSED = _TABLE.status == literal_column("'paused'")
_DUE = Prepared(
    _ALL.where(
        _OWN,
        or_(
            _IS_ACTIVE & (_TABLE.next_at <= bindparam("now")),
            _IS_PAUSED & (_TABLE.paused_until <= bindparam("now")),
        ),
    )
    .order_by(_TABLE.next_at)
    .limit(bindparam("most"))
)
_PUT = Prepared(
    schedules.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "name",
                "command",
                "arguments",
                "line",
                "cron",
                "zone",
                "at",
                "every_seconds",
                "catch_up",
                "overlap",
                "status",
                "reason",
                "paused_until",
                "next_at",
                "last_at",
                "failures",
                "owner_id",
                "scopes",
            )
        }
        | {"version": _TABLE.version + literal_column("1")}
    )
)
_DELETE = Prepared(schedules.delete().where(_OWN, _TABLE.id == bindparam("of")))


def add(tx: Tx, schedule: Schedule) -> None:
    """Store a new schedule."""
    tx.insert(
        schedules,
        {
            "id": schedule.id,
            "number": number_of(schedule.id, "S"),
            "created_by": schedule.created_by,
            **_values(schedule),
        },
    )


def put(tx: Tx, schedule: Schedule) -> None:
    """Store what a schedule is from now on."""
    values = {f"new_{name}": value for name, value in _values(schedule).items()}
    tx.change(_PUT, of=schedule.id, **values)


def find(tx: Tx, reference: str) -> Schedule | None:
    """Find a schedule by its id, or the oldest by its name; no name looks like an id."""
    rows = tx.run(_BY_ID, of=reference)
    if not rows and reference:
        rows = tx.run(_BY_NAME, of=reference)
    return _to_schedule(rows[0]) if rows else None


def list_after(tx: Tx, number: int, *, most: int) -> Sequence[Schedule]:
    """List schedules beyond a number, in the order they were made."""
    return [_to_schedule(row) for row in tx.run(_PAGE, after=number, most=most)]


def count(tx: Tx) -> int:
    """Count the schedules."""
    return int(tx.run(_COUNT)[0][0])


def list_due(tx: Tx, *, most: int) -> Sequence[Schedule]:
    """List those whose moment has come, or whose pause is over, the oldest first."""
    return [_to_schedule(row) for row in tx.run(_DUE, now=tx.micros, most=most)]


def delete(tx: Tx, schedule_id: str) -> None:
    """Remove a schedule."""
    tx.change(_DELETE, of=schedule_id)


def _values(schedule: Schedule) -> dict[str, object]:
    order, timing = schedule.order, schedule.timing
    paused, due, last = schedule.paused_until, schedule.next_at, schedule.last_at
    return {
        "name": schedule.name,
        "command": order.command,
        "arguments": canonical_json(order.arguments).decode(),
        "line": order.line,
        "cron": timing.cron,
        "zone": timing.zone,
        "at": to_micros(timing.at) if timing.at else None,
        "every_seconds": timing.every // timedelta(seconds=1),
        "catch_up": schedule.rules.catch_up.value,
        "overlap": schedule.rules.overlap.value,
        "status": schedule.status.value,
        "reason": schedule.reason,
        "paused_until": to_micros(paused) if paused else None,
        "next_at": to_micros(due) if due else None,
        "last_at": to_micros(last) if last else None,
        "failures": schedule.failures,
        "owner_id": schedule.owner_id,
        "scopes": canonical_json(sorted(schedule.scopes)).decode(),
    }


def _to_schedule(row: Row) -> Schedule:
    (
        schedule_id,
        name,
        command,
        arguments,
        line,
        cron,
        zone,
        at,
        every_seconds,
        catch_up,
        overlap,
        status,
        reason,
        paused_until,
        next_at,
        last_at,
        failures,
        owner_id,
        scopes,
        created_by,
        created_at,
    ) = row
    return Schedule(
        id=ScheduleId(schedule_id),
        name=name,
        order=Order(line=line, command=command, arguments=orjson.loads(arguments)),
        timing=Timing(
            zone=zone,
            cron=cron,
            at=None if at is None else from_micros(at),
            every=timedelta(seconds=every_seconds),
        ),
        rules=Rules(catch_up=CatchUp(catch_up), overlap=Overlap(overlap)),
        owner_id=owner_id,
        scopes=frozenset(orjson.loads(scopes)),
        created_by=created_by,
        created_at=from_micros(created_at),
        status=ScheduleStatus(status),
        reason=reason,
        paused_until=None if paused_until is None else from_micros(paused_until),
        next_at=None if next_at is None else from_micros(next_at),
        last_at=None if last_at is None else from_micros(last_at),
        failures=failures,
    )
