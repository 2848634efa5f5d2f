"""Queries over presets."""

from collections.abc import Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.jobs.model import Format
from core.jobs.presets.model import Preset
from core.jobs.presets.tables import presets
from core.kernel.clock import from_micros
from core.kernel.jsons import canonical_json

_TABLE = presets.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMED = _TABLE.name == bindparam("of")
_ALL = presets.select().with_only_columns(
    _TABLE.name,
    _TABLE.description,
    _TABLE.prompt,
    _TABLE.input,
    _TABLE.variants,
    _TABLE.format,
    _TABLE.tools,
    _TABLE.author,
    _TABLE.changed_at,
)
_BY_NAME = Prepared(_ALL.where(_OWN, _NAMED))
_FIRST = Prepared(_ALL.where(_OWN).order_by(_TABLE.name).limit(bindparam("most")))
_UPDATE = Prepared(
    presets.update()
    .where(_OWN, _NAMED)
    .values(
        description=bindparam("says"),
        prompt=bindparam("asks"),
        input=bindparam("given"),
        variants=bindparam("wanted"),
        format=bindparam("kind"),
        tools=bindparam("offers"),
        author=bindparam("by"),
        changed_at=bindparam("at"),
        version=_TABLE.version + 1,
    )
)
_DELETE = Prepared(presets.delete().where(_OWN, _NAMED))


def add(tx: Tx, preset: Preset) -> None:
    """Store a new preset."""
    tx.insert(
        presets,
        {
            "name": preset.name,
            "description": preset.description,
            "prompt": preset.prompt,
            "input": canonical_json(dict(preset.input)).decode(),
            "variants": preset.variants,
            "format": preset.format.value,
            "tools": canonical_json(list(preset.tools)).decode(),
            "author": preset.author,
            "changed_at": tx.micros,
        },
    )


def update(tx: Tx, preset: Preset) -> None:
    """Store what a preset is from now on."""
    tx.change(
        _UPDATE,
        of=preset.name,
        says=preset.description,
        asks=preset.prompt,
        given=canonical_json(dict(preset.input)).decode(),
        wanted=preset.variants,
        kind=preset.format.value,
        offers=canonical_json(list(preset.tools)).decode(),
        by=preset.author,
        at=tx.micros,
    )


def find(tx: Tx, name: str) -> Preset | None:
    """Find a tenant's own preset by its name."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_preset(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[Preset]:
    """List a tenant's own presets by name."""
    return [_to_preset(row) for row in tx.run(_FIRST, most=most)]


def delete(tx: Tx, name: str) -> None:
    """Remove a preset."""
    tx.change(_DELETE, of=name)


def _to_preset(row: Row) -> Preset:
    name, description, prompt, given, variants, kind, tools, author, changed_at = row
    return Preset(
        name=name,
        description=description,
        prompt=prompt,
        input=orjson.loads(given),
        variants=variants,
        format=Format(kind),
        tools=tuple(orjson.loads(tools)),
        author=author,
        changed_at=from_micros(changed_at),
    )
