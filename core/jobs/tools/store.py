"""Queries over tools."""

from collections.abc import Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.jobs.tools.model import Tool, ToolKind
from core.jobs.tools.tables import tools
from core.kernel.clock import from_micros
from core.kernel.jsons import canonical_json

_TABLE = tools.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMED = _TABLE.name == bindparam("of")
_ALL = tools.select().with_only_columns(
    _TABLE.name,
    _TABLE.description,
    _TABLE.kind,
    _TABLE.parameters,
    _TABLE.is_enabled,
    _TABLE.author,
    _TABLE.changed_at,
)
_BY_NAME = Prepared(_ALL.where(_OWN, _NAMED))
_FIRST = Prepared(_ALL.where(_OWN).order_by(_TABLE.name).limit(bindparam("most")))
_UPDATE = Prepared(
    tools.update()
    .where(_OWN, _NAMED)
    .values(
        description=bindparam("says"),
        kind=bindparam("how"),
        parameters=bindparam("takes"),
        is_enabled=bindparam("is_on"),
        author=bindparam("by"),
        changed_at=bindparam("at"),
        version=_TABLE.version + 1,
    )
)
_DELETE = Prepared(tools.delete().where(_OWN, _NAMED))


def add(tx: Tx, tool: Tool) -> None:
    """Store a new tool."""
    tx.insert(
        tools,
        {
            "name": tool.name,
            "description": tool.description,
            "kind": tool.kind.value,
            "parameters": canonical_json(dict(tool.parameters)).decode(),
            "is_enabled": tool.is_enabled,
            "author": tool.author,
            "changed_at": tx.micros,
        },
    )


def update(tx: Tx, tool: Tool) -> None:
    """Store what a tool is from now on."""
    tx.change(
        _UPDATE,
        of=tool.name,
        says=tool.description,
        how=tool.kind.value,
        takes=canonical_json(dict(tool.parameters)).decode(),
        is_on=tool.is_enabled,
        by=tool.author,
        at=tx.micros,
    )


def find(tx: Tx, name: str) -> Tool | None:
    """Find a tool by its name."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_tool(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[Tool]:
    """List a tenant's tools by name."""
    return [_to_tool(row) for row in tx.run(_FIRST, most=most)]


def delete(tx: Tx, name: str) -> None:
    """Remove a tool."""
    tx.change(_DELETE, of=name)


def _to_tool(row: Row) -> Tool:
    name, description, kind, parameters, is_enabled, author, changed_at = row
    return Tool(
        name=name,
        description=description,
        kind=ToolKind(kind),
        parameters=orjson.loads(parameters),
        is_enabled=bool(is_enabled),
        author=author,
        changed_at=from_micros(changed_at),
    )
