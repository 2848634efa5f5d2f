"""Queries over API keys."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import bindparam, select

from core.database import Prepared, Row, Tx
from core.identity.keys.model import Key, KeyFacts, KeyHash
from core.identity.keys.tables import api_keys
from core.identity.users.store import COLUMNS as USER_COLUMNS
from core.identity.users.store import to_user
from core.identity.users.tables import users
from core.kernel.clock import from_micros
from core.kernel.ids import KeyId, UserId

_COLUMNS = (
    api_keys.c.id,
    api_keys.c.name,
    api_keys.c.prefix,
    api_keys.c.user_id,
    api_keys.c.scopes,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.last_used_at,
    api_keys.c.revoked_at,
    api_keys.c.created_by,
)
_OWN = api_keys.c.tenant_id == bindparam("tenant")
_ALL = api_keys.select().with_only_columns(*_COLUMNS)
_GET = Prepared(_ALL.where(_OWN, api_keys.c.id == bindparam("of")))
_PAGE = Prepared(
    _ALL.where(_OWN, api_keys.c.number > bindparam("after"))
    .order_by(api_keys.c.number)
    .limit(bindparam("most"))
)
_PAGE_OF_USER = Prepared(
    _ALL.where(
        _OWN,
        api_keys.c.user_id == bindparam("whose"),
        api_keys.c.number > bindparam("after"),
    )
    .order_by(api_keys.c.number)
    .limit(bindparam("most"))
)
_FACTS = select(*_COLUMNS, *USER_COLUMNS).join_from(
    api_keys,
    users,
    (users.c.tenant_id == api_keys.c.tenant_id) & (users.c.id == api_keys.c.user_id),
)
# The one query of a tenant's table that names no tenant: a caller shows nothing but the
# key, and whose it is is what we ask. 256 random bits find one row or none.
_BY_HASH = Prepared(_FACTS.where(api_keys.c.hash == bindparam("hashed")))
_BY_ID = Prepared(_FACTS.where(_OWN, api_keys.c.id == bindparam("of")))
_SET = {
    column: Prepared(
        api_keys.update()
        .where(_OWN, api_keys.c.id == bindparam("of"))
        .values(
            {
                column: bindparam("to"),
                "version": api_keys.c.version + 1,
            }
        )
    )
    for column in ("expires_at", "revoked_at")
}
_TOUCH = Prepared(
    api_keys.update()
    .where(
        _OWN,
        api_keys.c.id == bindparam("of"),
        api_keys.c.last_used_at < bindparam("now"),
    )
    .values(last_used_at=bindparam("now"))
)


def add(tx: Tx, row: Mapping[str, object]) -> None:
    """Store a new key."""
    tx.insert(api_keys, row)


def find(tx: Tx, key_id: str) -> Key | None:
    """Find a key by id."""
    rows = tx.run(_GET, of=key_id)
    return _to_key(rows[0]) if rows else None


def list_after(tx: Tx, number: int, *, most: int, user_id: str = "") -> Sequence[Key]:
    """List keys, of one user or of all, from after a number on."""
    if user_id:
        rows = tx.run(_PAGE_OF_USER, whose=user_id, after=number, most=most)
    else:
        rows = tx.run(_PAGE, after=number, most=most)
    return [_to_key(row) for row in rows]


def find_facts_by_hash(tx: Tx, key_hash: KeyHash) -> KeyFacts | None:
    """Find a key of any tenant, with its owner."""
    return _to_facts(tx.run(_BY_HASH, hashed=key_hash))


def find_facts(tx: Tx, key_id: str) -> KeyFacts | None:
    """Find a key of this tenant, with its owner."""
    return _to_facts(tx.run(_BY_ID, of=key_id))


def change(tx: Tx, key_id: str, column: str, *, to: int) -> None:
    """Set one of a key's moments."""
    tx.change(_SET[column], of=key_id, to=to)


def touch(tx: Tx, key_id: str) -> None:
    """Note that a key was used now; time never runs backwards."""
    tx.change(_TOUCH, of=key_id, now=tx.micros)


def _to_facts(rows: Sequence[Row]) -> KeyFacts | None:
    if not rows:
        return None
    middle = len(_COLUMNS)
    return KeyFacts(key=_to_key(rows[0][:middle]), owner=to_user(rows[0][middle:]))


def _to_key(row: Row) -> Key:
    key_id, name, prefix, user_id, scopes, created, expires, used, revoked, by = row
    return Key(
        id=KeyId(key_id),
        name=name,
        prefix=prefix,
        user_id=UserId(user_id),
        scopes=frozenset(orjson.loads(scopes)),
        created_at=from_micros(created),
        expires_at=_to_moment(expires),
        last_used_at=_to_moment(used),
        revoked_at=_to_moment(revoked),
        created_by=by,
    )


def _to_moment(micros: int) -> datetime | None:
    return from_micros(micros) if micros else None
