"""Queries over who is next in the outbox, and over the pauses that hold lines back."""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql.selectable import NamedFromClause

from core.database import Prepared, Row, Tx
from core.delivery.outbox.model import LOOSE, Budget, Spot
from core.delivery.outbox.tables import outbox, outbox_pauses
from core.delivery.outbox.turns import First, Traffic

Number = ScalarSelect[int]

_OWN = outbox.c.tenant_id == bindparam("tenant")
# Written out, for only so can SQLite tell that its partial index fits.
_WAITS = outbox.c.state == literal_column("'waiting'")
_ONE: ColumnElement[int] = literal_column("1")
_ANY = Prepared(
    outbox.select().with_only_columns(outbox.c.number).where(_OWN, _WAITS).limit(_ONE)
)
_SHOWN = (
    outbox.c.key,
    outbox.c.number,
    outbox.c.channel,
    outbox.c.account,
    outbox.c.line,
    outbox.c.lane,
    outbox.c.subject,
    outbox.c.due_at,
    outbox.c.claimed_until,
)


# What stands in the index of lines, in its order.
_ORDER = ("channel", "account", "line", "lane")


def _next_number(of: NamedFromClause, *after: ColumnElement[bool]) -> Number:
    """Find the first number that waits, line by line and lane by lane."""
    order = [of.c[name] for name in (*_ORDER, "number")]
    own = of.c.tenant_id == bindparam("tenant")
    waits = of.c.state == literal_column("'waiting'")
    return (
        select(of.c.number)
        .where(own, waits, *after)
        .order_by(*order)
        .limit(_ONE)
        .scalar_subquery()
    )


def _firsts() -> Prepared:
    """Go from the first of each line and lane to the next one's, along the index.

    However much waits, only as many rows are looked at as there are lines. The next
    one is in the same line, or else in the same account, and so on: asked in one
    comparison, SQLite would look for the channel alone.
    """
    here = outbox.alias("here")
    first = select(
        cast(bindparam("tenant"), Text).label("tenant_id"),
        _next_number(outbox.alias("very_first")).label("number"),
    )
    firsts = first.cte("firsts", recursive=True)
    levels = []
    for level in reversed(range(len(_ORDER))):
        there = outbox.alias(f"there_{level}")
        same = [there.c[name] == here.c[name] for name in _ORDER[:level]]
        beyond = there.c[_ORDER[level]] > here.c[_ORDER[level]]
        levels.append(_next_number(there, *same, beyond))
    firsts = firsts.union_all(
        select(here.c.tenant_id, func.coalesce(*levels))
        .select_from(firsts)
        .join(
            here,
            and_(
                here.c.tenant_id == firsts.c.tenant_id,
                here.c.number == firsts.c.number,
            ),
        )
    )
    return Prepared(
        select(*_SHOWN)
        .where(_OWN, outbox.c.number.in_(select(firsts.c.number)))
        .order_by(outbox.c.lane, outbox.c.number)
    )


_FIRSTS = _firsts()
_LOOSE = Prepared(
    outbox.select()
    .with_only_columns(*_SHOWN)
    .where(
        _OWN,
        _WAITS,
        outbox.c.line == literal_column(f"'{LOOSE}'"),
        outbox.c.channel == bindparam("of_channel"),
        outbox.c.account == bindparam("of_account"),
        outbox.c.claimed_until <= bindparam("now"),
    )
    .order_by(outbox.c.due_at, outbox.c.number)
    .limit(bindparam("most"))
)
_BUSY = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.channel, outbox.c.account, outbox.c.line)
    .where(
        _OWN,
        _WAITS,
        # Said for the index, which holds what was claimed and nothing else.
        outbox.c.claimed_until > literal_column("0"),
        outbox.c.claimed_until > bindparam("now"),
    )
)
_PAUSES = Prepared(
    outbox_pauses.select()
    .with_only_columns(
        outbox_pauses.c.channel,
        outbox_pauses.c.account,
        outbox_pauses.c.line,
        outbox_pauses.c.until,
    )
    .where(
        outbox_pauses.c.tenant_id == bindparam("tenant"),
        outbox_pauses.c.until > bindparam("now"),
    )
)
_OF_SPOT = (
    outbox_pauses.c.tenant_id == bindparam("tenant"),
    outbox_pauses.c.channel == bindparam("of_channel"),
    outbox_pauses.c.account == bindparam("of_account"),
    outbox_pauses.c.line == bindparam("of_line"),
)
_UNTIL = Prepared(
    outbox_pauses.select().with_only_columns(outbox_pauses.c.until).where(*_OF_SPOT)
)
_EXTEND = Prepared(
    outbox_pauses.update().where(*_OF_SPOT).values(until=bindparam("new_until"))
)
_END_PAUSE = Prepared(outbox_pauses.delete().where(*_OF_SPOT))
_END_PAUSES = Prepared(
    outbox_pauses.delete().where(
        outbox_pauses.c.tenant_id == bindparam("tenant"),
        outbox_pauses.c.until <= bindparam("now"),
    )
)


def has_waiting(tx: Tx) -> bool:
    """Tell whether anything waits at all."""
    return bool(tx.run(_ANY))


def read_traffic(tx: Tx) -> Traffic:
    """Read what waits and what is on its way."""
    firsts = [_to_first(row) for row in tx.run(_FIRSTS)]
    pauses = {Spot(*row[:3]): row[3] for row in tx.run(_PAUSES, now=tx.micros)}
    loose = dict.fromkeys(each.spot for each in firsts if each.spot.is_loose)
    if loose:
        firsts = [each for each in firsts if not each.spot.is_loose]
        firsts += [each for spot in loose for each in _read_loose(tx, spot, pauses)]
        firsts.sort(key=lambda first: (first.lane, first.number))
    return Traffic(
        firsts=firsts,
        busy=[Spot(*row) for row in tx.run(_BUSY, now=tx.micros)],
        pauses=pauses,
    )


def _read_loose(tx: Tx, spot: Spot, pauses: Mapping[Spot, int]) -> Sequence[First]:
    """Read what is due soonest of an account's that keeps no order.

    Shape:  as many as may be on their way at once; of an account that is left alone
            one, so that it is known that something waits.
    """
    most = 1 if spot.whole_account in pauses else Budget().most
    rows = tx.run(
        _LOOSE,
        of_channel=spot.channel,
        of_account=spot.account,
        now=tx.micros,
        most=most,
    )
    return [_to_first(row) for row in rows]


def pause(tx: Tx, spot: Spot, *, until: int) -> None:
    """Leave a line or an account alone until a moment; never shortens a pause."""
    of = _of(spot)
    rows = tx.run(_UNTIL, **of)
    if not rows:
        row = {**spot._asdict(), "until": until}
        tx.insert(outbox_pauses, row)
    elif rows[0][0] < until:
        tx.change(_EXTEND, new_until=until, **of)


def end_pause(tx: Tx, spot: Spot) -> None:
    """Leave a line or an account alone no longer."""
    tx.change(_END_PAUSE, **_of(spot))


def end_pauses(tx: Tx) -> None:
    """Forget the pauses that are over."""
    tx.change(_END_PAUSES, now=tx.micros)


def _of(spot: Spot) -> dict[str, str]:
    return {
        "of_channel": spot.channel,
        "of_account": spot.account,
        "of_line": spot.line,
    }


def _to_first(row: Row) -> First:
    key, number, channel, account, line, lane, subject, due_at, claimed_until = row
    return First(
        key=key,
        number=number,
        spot=Spot(channel, account, line),
        lane=lane,
        subject=subject,
        due_at=due_at,
        claimed_until=claimed_until,
    )
