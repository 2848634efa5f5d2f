"""How far each consumer of the events has come, so that it reacts to each once."""

from sqlalchemy import bindparam

from core.database import Prepared, Tx
from core.delivery.tables import cursors

_OWN = (
    cursors.c.tenant_id == bindparam("tenant"),
    cursors.c.consumer == bindparam("of"),
)
_FIND = Prepared(cursors.select().with_only_columns(cursors.c.seq).where(*_OWN))
_ADVANCE = Prepared(
    cursors.update()
    .where(*_OWN, cursors.c.seq == bindparam("after"))
    .values(seq=bindparam("to"))
)


def find(tx: Tx, consumer: str) -> int | None:
    """Read the number of the last event that a consumer has dealt with; None if new."""
    rows = tx.run(_FIND, of=consumer)
    return int(rows[0][0]) if rows else None


def begin(tx: Tx, consumer: str) -> int:
    """Have a new consumer begin now: what happened before it came is not its own."""
    known = find(tx, consumer)
    if known is not None:
        return known
    tx.insert(cursors, {"consumer": consumer, "seq": tx.event_seq})
    return tx.event_seq


def advance(tx: Tx, consumer: str, *, after: int, to: int) -> bool:
    """Move a cursor on from where it was seen; guaranteed to be True for one unit only."""
    return tx.change(_ADVANCE, of=consumer, after=after, to=to) == 1
