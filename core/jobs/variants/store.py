"""Queries over variants."""

from collections.abc import Sequence

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.jobs.model import Format
from core.jobs.variants.model import Variant
from core.jobs.variants.tables import variants
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import JobId, VariantId, number_of

_TABLE = variants.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = variants.select().with_only_columns(
    _TABLE.id,
    _TABLE.job_id,
    _TABLE.position,
    _TABLE.title,
    _TABLE.body,
    _TABLE.format,
    _TABLE.provider,
    _TABLE.model,
    _TABLE.score,
    _TABLE.cost_micros,
    _TABLE.edited_by,
    _TABLE.edited_at,
    _TABLE.accepted_by,
    _TABLE.accepted_at,
    _TABLE.created_at,
    _TABLE.version,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_OF_JOB = Prepared(
    _ALL.where(_OWN, _TABLE.job_id == bindparam("job")).order_by(_TABLE.position)
)
_UPDATE = Prepared(
    variants.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        title=bindparam("says"),
        body=bindparam("text"),
        edited_by=bindparam("editor"),
        edited_at=bindparam("edited"),
        accepted_by=bindparam("chooser"),
        accepted_at=bindparam("chosen"),
        version=bindparam("counted"),
    )
)


def add(tx: Tx, variant: Variant) -> None:
    """Store a new variant; the index lets no second one in at its position."""
    tx.insert(
        variants,
        {
            "id": variant.id,
            "number": number_of(variant.id, "V"),
            "job_id": variant.job_id,
            "position": variant.position,
            "title": variant.title,
            "body": variant.body,
            "format": variant.format.value,
            "provider": variant.provider,
            "model": variant.model,
            "score": variant.score,
            "cost_micros": variant.cost_micros,
            "edited_by": "",
            "edited_at": None,
            "accepted_by": "",
            "accepted_at": None,
        },
    )


def update(tx: Tx, variant: Variant) -> None:
    """Store a variant's present state over its former one."""
    edited, accepted = variant.edited_at, variant.accepted_at
    tx.change(
        _UPDATE,
        of=variant.id,
        says=variant.title,
        text=variant.body,
        editor=variant.edited_by,
        edited=to_micros(edited) if edited else None,
        chooser=variant.accepted_by,
        chosen=to_micros(accepted) if accepted else None,
        counted=variant.version,
    )


def find(tx: Tx, variant_id: str) -> Variant | None:
    """Find a variant by its id; a text of another form is the id of none."""
    if number_of(variant_id, "V") is None:
        return None
    rows = tx.run(_BY_ID, of=variant_id)
    return _to_variant(rows[0]) if rows else None


def list_of(tx: Tx, job_id: str) -> Sequence[Variant]:
    """List the variants of a job in their order; there are eight at most."""
    return [_to_variant(row) for row in tx.run(_OF_JOB, job=job_id)]


def _to_variant(row: Row) -> Variant:
    (
        variant_id,
        job_id,
        position,
        title,
        body,
        kind,
        provider,
        model,
        score,
        cost_micros,
        edited_by,
        edited_at,
        accepted_by,
        accepted_at,
        created_at,
        version,
    ) = row
    return Variant(
        id=VariantId(variant_id),
        job_id=JobId(job_id),
        position=position,
        title=title,
        body=body,
        format=Format(kind),
        provider=provider,
        model=model,
        score=score,
        cost_micros=cost_micros,
        edited_by=edited_by,
        edited_at=None if edited_at is None else from_micros(edited_at),
        accepted_by=accepted_by,
        accepted_at=None if accepted_at is None else from_micros(accepted_at),
        created_at=from_micros(created_at),
        version=version,
    )
