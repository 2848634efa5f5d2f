"""Queries over exports."""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import ColumnElement, bindparam

from core.database import Prepared, Row, Tx
from core.jobs.exports.model import Export, ExportFilter, ExportFormat
from core.jobs.exports.tables import exports
from core.kernel.clock import from_micros
from core.kernel.ids import ExportId, number_of

_TABLE = exports.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = exports.select().with_only_columns(
    _TABLE.id,
    _TABLE.variant_id,
    _TABLE.job_id,
    _TABLE.format,
    _TABLE.name,
    _TABLE.artifact_id,
    _TABLE.size_bytes,
    _TABLE.sha256,
    _TABLE.actor,
    _TABLE.created_at,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))


def add(tx: Tx, export: Export) -> None:
    """Store a new export."""
    tx.insert(
        exports,
        {
            "id": export.id,
            "number": number_of(export.id, "X"),
            "variant_id": export.variant_id,
            "job_id": export.job_id,
            "format": export.format.value,
            "name": export.name,
            "artifact_id": export.artifact_id,
            "size_bytes": export.size_bytes,
            "sha256": export.sha256,
            "actor": export.actor,
        },
    )


def find(tx: Tx, export_id: str) -> Export | None:
    """Find an export by its id; a text of another form is the id of none."""
    if number_of(export_id, "X") is None:
        return None
    rows = tx.run(_BY_ID, of=export_id)
    return _to_export(rows[0]) if rows else None


def list_before(
    tx: Tx, number: int | None, wanted: ExportFilter, *, most: int
) -> Sequence[Export]:
    """List exports numbered below `number` (None: all), the newest first."""
    stated: dict[str, object | None] = {
        "below": number,
        "job": wanted.job or None,
        "variant": wanted.variant or None,
        "kind": wanted.format.value if wanted.format else None,
    }
    values = {name: value for name, value in stated.items() if value is not None}
    rows = tx.run(_listing(frozenset(values)), most=most, **values)
    return [_to_export(row) for row in rows]


_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "below": _TABLE.number < bindparam("below"),
    "job": _TABLE.job_id == bindparam("job"),
    "variant": _TABLE.variant_id == bindparam("variant"),
    "kind": _TABLE.format == bindparam("kind"),
}


@cache
def _listing(conditions: frozenset[str]) -> Prepared:
    """Prepare the list under these conditions, once for each set of them."""
    chosen = [_CONDITIONS[name] for name in sorted(conditions)]
    return Prepared(
        _ALL.where(_OWN, *chosen)
        .order_by(_TABLE.number.desc())
        .limit(bindparam("most"))
    )


def _to_export(row: Row) -> Export:
    (
        export_id,
        variant_id,
        job_id,
        kind,
        name,
        artifact_id,
        size_bytes,
        digest,
        actor,
        created_at,
    ) = row
    return Export(
        id=ExportId(export_id),
        variant_id=variant_id,
        job_id=job_id,
        format=ExportFormat(kind),
        name=name,
        artifact_id=artifact_id,
        size_bytes=size_bytes,
        sha256=digest,
        actor=actor,
        created_at=from_micros(created_at),
    )
