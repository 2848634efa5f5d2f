"""Queries over the event table."""

from collections.abc import Sequence

import orjson
from sqlalchemy import Select, bindparam, func, literal_column, select

from core.database import Prepared, Row, Tx
from core.events.model import Event, EventFilter
from core.events.tables import events
from core.kernel.clock import Micros, from_micros

_COLUMNS = (
    events.c.seq,
    events.c.created_at,
    events.c.type,
    events.c.actor,
    events.c.channel,
    events.c.target,
    events.c.details,
    events.c.cause,
)
# Prepared statements take named values alone, hence the literal columns below.
_MINE = events.c.tenant_id == bindparam("tenant")
_AFTER = Prepared(
    select(*_COLUMNS)
    .where(_MINE, events.c.seq > bindparam("seq"))
    .order_by(events.c.seq)
    .limit(bindparam("most"))
    .offset(literal_column("0"))
)
# Two look-ups in the index; asked for both at once, SQLite reads the whole table.
_ENDS = Prepared(
    select(
        select(func.min(events.c.seq)).where(_MINE).scalar_subquery(),
        select(func.max(events.c.seq)).where(_MINE).scalar_subquery(),
    )
)
_MOMENT = Prepared(
    select(events.c.created_at).where(_MINE, events.c.seq == bindparam("seq"))
)


def list_after(tx: Tx, seq: int, *, limit: int) -> list[Event]:
    """List the events that follow `seq`, in their order."""
    return [_to_event(row) for row in tx.run(_AFTER, seq=seq, most=limit)]


def list_wanted_after(
    tx: Tx, seq: int, wanted: EventFilter, *, limit: int
) -> Sequence[Event]:
    """List the wanted events that follow `seq`, in their order."""
    query = _wanted(tx, wanted).where(events.c.seq > seq).order_by(events.c.seq)
    return [_to_event(tuple(row)) for row in tx.execute(query.limit(limit))]


def list_last(tx: Tx, wanted: EventFilter, *, limit: int) -> Sequence[Event]:
    """List the last wanted events, in their order."""
    query = _wanted(tx, wanted).order_by(events.c.seq.desc()).limit(limit)
    return [_to_event(tuple(row)) for row in tx.execute(query)][::-1]


def ends(tx: Tx) -> tuple[int, int]:
    """Read the first and the last kept sequence number; (1, 0) when there is none."""
    first, last = tx.run(_ENDS)[0]
    return (1, 0) if first is None else (first, last)


def moment_of(tx: Tx, seq: int) -> Micros:
    """Read when a kept event happened."""
    return Micros(tx.run(_MOMENT, seq=seq)[0][0])


def _wanted(tx: Tx, wanted: EventFilter) -> Select[*tuple[Row, ...]]:
    query = select(*_COLUMNS).where(events.c.tenant_id == tx.tenant)
    for column, values in (
        (events.c.type, wanted.types),
        (events.c.target, wanted.targets),
        (events.c.actor, wanted.actors),
        (events.c.channel, wanted.channels),
    ):
        if values:
            query = query.where(column.in_(sorted(values)))
    return query


def _to_event(row: Row) -> Event:
    seq, created_at, event_type, actor, channel, target, details, cause = row
    return Event(
        seq=seq,
        ts=from_micros(created_at),
        type=event_type,
        actor=actor,
        channel=channel,
        target=target,
        details=orjson.loads(details),
        cause=cause,
    )
