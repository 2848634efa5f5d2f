"""Queries over webhook endpoints."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.hooks.model import Endpoint, HookAuth, PayloadMap
from core.hooks.tables import hook_endpoints
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import WebhookId, number_of
from core.kernel.jsons import canonical_json

_TABLE = hook_endpoints.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = hook_endpoints.select().with_only_columns(
    _TABLE.id,
    _TABLE.name,
    _TABLE.auth,
    _TABLE.map,
    _TABLE.creator_id,
    _TABLE.creator_scopes,
    _TABLE.created_at,
    _TABLE.secret,
    _TABLE.previous_secret,
    _TABLE.previous_until,
    _TABLE.callback,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_BY_NAME = Prepared(_ALL.where(_OWN, _TABLE.name == bindparam("of")))
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.number > bindparam("after"))
    .order_by(_TABLE.number)
    .limit(bindparam("most"))
)
_ROTATE = Prepared(
    hook_endpoints.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        secret=bindparam("new"),
        previous_secret=bindparam("old"),
        previous_until=bindparam("until"),
        version=_TABLE.version + 1,
    )
)
_SET_RULES = Prepared(
    hook_endpoints.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        map=bindparam("rules"),
        creator_id=bindparam("creator"),
        creator_scopes=bindparam("scopes"),
        version=_TABLE.version + 1,
    )
)
_DELETE = Prepared(hook_endpoints.delete().where(_OWN, _TABLE.id == bindparam("of")))


def add(tx: Tx, endpoint: Endpoint) -> None:
    """Store a new endpoint; the index on the name lets no second one in."""
    tx.insert(
        hook_endpoints,
        {
            "id": endpoint.id,
            "number": number_of(endpoint.id, "W"),
            "name": endpoint.name,
            "auth": endpoint.auth.value,
            "map": render_rules(endpoint.rules),
            "creator_id": endpoint.creator_id,
            "creator_scopes": canonical_json(sorted(endpoint.creator_scopes)).decode(),
            "secret": endpoint.secret,
            "previous_secret": "",
            "previous_until": 0,
            "callback": endpoint.callback,
        },
    )


def find(tx: Tx, reference: str) -> Endpoint | None:
    """Find an endpoint by its id or its name; no name looks like an id."""
    rows = tx.run(_BY_ID, of=reference) or tx.run(_BY_NAME, of=reference)
    return _to_endpoint(rows[0]) if rows else None


def list_after(tx: Tx, number: int, *, most: int) -> Sequence[Endpoint]:
    """List endpoints beyond a number, in the order they were made."""
    return [_to_endpoint(row) for row in tx.run(_PAGE, after=number, most=most)]


def rotate(tx: Tx, endpoint_id: str, *, new: str, old: str, until: datetime) -> None:
    """Put a new sealed secret in place; the old one counts until a moment."""
    tx.change(_ROTATE, of=endpoint_id, new=new, old=old, until=to_micros(until))


def set_rules(tx: Tx, endpoint: Endpoint) -> None:
    """Store an endpoint's rules, and in whose name they run."""
    tx.change(
        _SET_RULES,
        of=endpoint.id,
        rules=render_rules(endpoint.rules),
        creator=endpoint.creator_id,
        scopes=canonical_json(sorted(endpoint.creator_scopes)).decode(),
    )


def delete(tx: Tx, endpoint_id: str) -> None:
    """Remove an endpoint."""
    tx.change(_DELETE, of=endpoint_id)


def render_rules(rules: Sequence[PayloadMap]) -> str:
    """Write payload maps as they are stored."""
    return canonical_json([asdict(each) for each in rules]).decode()


def parse_rules(stored: str) -> tuple[PayloadMap, ...]:
    """Read payload maps back; an endpoint once had one, stored without a list."""
    raw: Any = orjson.loads(stored)
    return tuple(
        PayloadMap(**each) for each in (raw if isinstance(raw, list) else [raw])
    )


def _to_endpoint(row: Row) -> Endpoint:
    (
        endpoint_id,
        name,
        auth,
        rules,
        creator_id,
        scopes,
        created,
        secret,
        previous_secret,
        previous_until,
        callback,
    ) = row
    return Endpoint(
        id=WebhookId(endpoint_id),
        name=name,
        auth=HookAuth(auth),
        rules=parse_rules(rules),
        creator_id=creator_id,
        creator_scopes=frozenset(orjson.loads(scopes)),
        created_at=from_micros(created),
        secret=secret,
        previous_secret=previous_secret,
        previous_until=from_micros(previous_until) if previous_until else None,
        callback=callback,
    )
