"""Which process does what only one needs to do, such as sweeping.

A leadership is a lease without heartbeats of its own, events or fence: whoever leads
renews it while there is something to do, and whoever dies is replaced when it runs out.
Two that lead at once for a moment must do no harm; it only saves work.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Tx
from core.kernel.clock import from_micros, to_micros
from core.leases.tables import leaders

_OWN = (leaders.c.tenant_id == bindparam("tenant"), leaders.c.name == bindparam("role"))
_FIND = Prepared(
    leaders.select().with_only_columns(leaders.c.holder, leaders.c.until).where(*_OWN)
)
_TAKE = Prepared(
    leaders.update()
    .where(*_OWN)
    .values(
        holder=bindparam("by"),
        until=bindparam("to"),
        version=leaders.c.version + literal_column("1"),
    )
)
_RESIGN = Prepared(leaders.delete().where(*_OWN, leaders.c.holder == bindparam("by")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who leads, and until when."""

    holder: str
    until: datetime


def find(tx: Tx, name: str) -> Leader | None:
    """Find the leader, even one whose time has run out."""
    rows = tx.run(_FIND, role=name)
    return Leader(holder=rows[0][0], until=from_micros(rows[0][1])) if rows else None


def lead(tx: Tx, name: str, *, holder: str, ttl: timedelta) -> Leader:
    """Take or renew a leadership, unless somebody else has it; tell who leads now.

    Shape:  guaranteed to name one leader at a time, as writers of a tenant are serial.
    """
    known = find(tx, name)
    if known is not None and known.holder != holder and known.until > tx.now:
        return known
    leader = Leader(holder=holder, until=tx.now + ttl)
    until = to_micros(leader.until)
    if known is None:
        tx.insert(leaders, {"name": name, "holder": holder, "until": until})
    else:
        tx.change(_TAKE, role=name, by=holder, to=until)
    return leader


def resign(tx: Tx, name: str, *, holder: str) -> None:
    """Give a leadership up, if one has it, so that nobody waits for its end."""
    tx.change(_RESIGN, role=name, by=holder)
