"""Queries over aliases."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import bindparam

from core.aliases.model import Alias, Definition, Format
from core.aliases.tables import aliases
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros
from core.kernel.jsons import canonical_json

_TABLE = aliases.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMED = _TABLE.name == bindparam("of")
_ALL = aliases.select().with_only_columns(
    _TABLE.name, _TABLE.definition, _TABLE.created_by, _TABLE.created_at
)
_BY_NAME = Prepared(_ALL.where(_OWN, _NAMED))
_FIRST = Prepared(_ALL.where(_OWN).order_by(_TABLE.name).limit(bindparam("most")))
_DEFINE = Prepared(
    aliases.update()
    .where(_OWN, _NAMED)
    .values(definition=bindparam("now_is"), version=_TABLE.version + 1)
)
_DELETE = Prepared(aliases.delete().where(_OWN, _NAMED))


def add(tx: Tx, name: str, definition: Definition) -> None:
    """Store a new alias."""
    row = {"name": name, "definition": _written(definition)}
    tx.insert(aliases, {**row, "created_by": tx.principal.name})


def define(tx: Tx, name: str, definition: Definition) -> None:
    """Store what an alias is from now on."""
    tx.change(_DEFINE, of=name, now_is=_written(definition))


def find(tx: Tx, name: str) -> Alias | None:
    """Find an alias by its name."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_alias(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[Alias]:
    """List aliases by name."""
    return [_to_alias(row) for row in tx.run(_FIRST, most=most)]


def delete(tx: Tx, name: str) -> None:
    """Remove an alias."""
    tx.change(_DELETE, of=name)


def _written(definition: Definition) -> str:
    return canonical_json(asdict(definition)).decode()


def _to_alias(row: Row) -> Alias:
    name, definition, created_by, created = row
    raw: dict[str, Any] = orjson.loads(definition)
    formats = tuple(Format(**each) for each in raw.pop("formats"))
    return Alias(
        name=name,
        definition=Definition(formats=formats, **raw),
        created_by=created_by,
        created_at=from_micros(created),
    )
