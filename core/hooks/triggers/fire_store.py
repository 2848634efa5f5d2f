"""Queries over what triggers have set off."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Row, Tx
from core.hooks.triggers.model import MOST_FIRES, Fire
from core.hooks.triggers.tables import trigger_fires
from core.kernel.clock import from_micros
from core.kernel.ids import TriggerId
from core.kernel.jsons import canonical_json, parse_json

_TABLE = trigger_fires.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_THIS = (_OWN, _TABLE.trigger_id == bindparam("of"))
_ALL = trigger_fires.select().with_only_columns(
    _TABLE.request_id,
    _TABLE.trigger_id,
    _TABLE.key,
    _TABLE.event_seq,
    _TABLE.chain,
    _TABLE.cut,
    _TABLE.created_at,
)
_BY_REQUEST = Prepared(_ALL.where(_OWN, _TABLE.request_id == bindparam("of")))
_BY_KEY = Prepared(_ALL.where(*_THIS, _TABLE.key == bindparam("of_key")))
_PAGE = Prepared(
    _ALL.where(*_THIS, _TABLE.event_seq < bindparam("before"))
    .order_by(_TABLE.event_seq.desc())
    .limit(bindparam("most"))
)
_NTH_NEWEST = Prepared(
    trigger_fires.select()
    .with_only_columns(_TABLE.created_at)
    .where(*_THIS, _TABLE.cut == literal_column("''"))
    .order_by(_TABLE.event_seq.desc())
    .limit(1)
    .offset(literal_column(str(MOST_FIRES - 1)))
)
# A request's id begins with its time, so that the oldest are found along the key.
_OLDEST = Prepared(
    _ALL.where(_OWN).order_by(_TABLE.request_id).limit(bindparam("most"))
)
_FORGET = Prepared(
    trigger_fires.delete().where(_OWN, _TABLE.request_id == bindparam("of"))
)


def add(tx: Tx, fire: Fire) -> None:
    """Store a fire; the index on its key lets no second one in."""
    tx.insert(
        trigger_fires,
        {
            "request_id": fire.request_id,
            "trigger_id": fire.trigger_id,
            "key": fire.key,
            "event_seq": fire.seq,
            "chain": canonical_json(fire.chain).decode(),
            "cut": fire.cut,
        },
    )


def find(tx: Tx, request_id: str) -> Fire | None:
    """Find the fire that a request is; None for any other request."""
    rows = tx.run(_BY_REQUEST, of=request_id)
    return _to_fire(rows[0]) if rows else None


def find_by_key(tx: Tx, trigger_id: str, key: str) -> Fire | None:
    """Find what an event or a delivery has set off already."""
    rows = tx.run(_BY_KEY, of=trigger_id, of_key=key)
    return _to_fire(rows[0]) if rows else None


def list_before(tx: Tx, trigger_id: str, seq: int, *, most: int) -> Sequence[Fire]:
    """List a trigger's fires by events below a number, the newest first."""
    rows = tx.run(_PAGE, of=trigger_id, before=seq, most=most)
    return [_to_fire(row) for row in rows]


def find_limit_moment(tx: Tx, trigger_id: str) -> datetime | None:
    """Read when the last fire but 59 was; None when there were not so many."""
    rows = tx.run(_NTH_NEWEST, of=trigger_id)
    return from_micros(rows[0][0]) if rows else None


def list_oldest(tx: Tx, *, most: int) -> Sequence[Fire]:
    """List the oldest fires of all triggers."""
    return [_to_fire(row) for row in tx.run(_OLDEST, most=most)]


def forget(tx: Tx, request_id: str) -> None:
    """Remove a fire."""
    tx.change(_FORGET, of=request_id)


def _to_fire(row: Row) -> Fire:
    request_id, trigger_id, key, seq, chain, cut, created_at = row
    names = parse_json(chain)
    assert isinstance(names, list)
    return Fire(
        request_id=request_id,
        trigger_id=TriggerId(trigger_id),
        key=key,
        seq=seq,
        at=from_micros(created_at),
        chain=tuple(str(each) for each in names),
        cut=cut,
    )
