"""Queries over who is next in the outbox, and over the pauses that hold lines back."""

from sqlalchemy import bindparam, func, literal_column, select

from core.database import Prepared, Row, Tx
from core.delivery.outbox.model import Spot
from core.delivery.outbox.tables import outbox, outbox_pauses
from core.delivery.outbox.turns import First, Traffic

_OWN = outbox.c.tenant_id == bindparam("tenant")
# Written out, for only so can SQLite tell that its partial index fits.
_WAITS = outbox.c.state == literal_column("'waiting'")
_ANY = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.number)
    .where(_OWN, _WAITS)
    .limit(literal_column("1"))
)
_line = outbox.alias("line")
_FIRSTS = Prepared(
    select(
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
    .where(
        _OWN,
        outbox.c.number.in_(
            select(func.min(_line.c.number))
            .where(
                _line.c.tenant_id == bindparam("tenant"),
                _line.c.state == literal_column("'waiting'"),
            )
            .group_by(_line.c.channel, _line.c.account, _line.c.line, _line.c.lane)
        ),
    )
    .order_by(outbox.c.lane, outbox.c.number)
)
_BUSY = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.channel, outbox.c.account, outbox.c.line)
    .where(_OWN, _WAITS, outbox.c.claimed_until > bindparam("now"))
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
    return Traffic(
        firsts=[_to_first(row) for row in tx.run(_FIRSTS)],
        busy=[Spot(*row) for row in tx.run(_BUSY, now=tx.micros)],
        pauses={Spot(*row[:3]): row[3] for row in tx.run(_PAUSES, now=tx.micros)},
    )


def pause(tx: Tx, spot: Spot, *, until: int) -> None:
    """Leave a line or an account alone until a moment; never shortens a pause."""
    of = {
        "of_channel": spot.channel,
        "of_account": spot.account,
        "of_line": spot.line,
    }
    rows = tx.run(_UNTIL, **of)
    if not rows:
        row = {**spot._asdict(), "until": until}
        tx.insert(outbox_pauses, row)
    elif rows[0][0] < until:
        tx.change(_EXTEND, new_until=until, **of)


def end_pauses(tx: Tx) -> None:
    """Forget the pauses that are over."""
    tx.change(_END_PAUSES, now=tx.micros)


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
