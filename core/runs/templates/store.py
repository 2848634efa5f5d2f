"""Queries over templates and their editions."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros
from core.kernel.ids import TemplateId, number_of
from core.runs.templates.model import Edition
from core.runs.templates.tables import run_template_versions, run_templates

_TABLE = run_templates.c
_TEXTS = run_template_versions.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = run_templates.select().with_only_columns(
    _TABLE.id, _TABLE.name, _TABLE.latest, _TABLE.deleted_at
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_BY_NAME = Prepared(_ALL.where(_OWN, _TABLE.name == bindparam("of")))
_LIVE = Prepared(
    _ALL.where(_OWN, _TABLE.deleted_at.is_(None))
    .order_by(_TABLE.name)
    .limit(bindparam("most"))
)
_POINT = Prepared(
    run_templates.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        latest=bindparam("newest"),
        changed_at=bindparam("at"),
        deleted_at=bindparam("gone_at"),
        version=_TABLE.version + 1,
    )
)
_EDITIONS = (
    run_template_versions.select()
    .with_only_columns(_TEXTS.edition, _TEXTS.author, _TEXTS.created_at, _TEXTS.text)
    .where(
        _TEXTS.tenant_id == bindparam("tenant"),
        _TEXTS.template_id == bindparam("of"),
    )
)
_EDITION = Prepared(_EDITIONS.where(_TEXTS.edition == bindparam("number")))
_HISTORY = Prepared(_EDITIONS.order_by(_TEXTS.edition.desc()).limit(bindparam("most")))


class Kept(NamedTuple):
    """A template's row: which edition is its newest, and whether it was deleted."""

    id: TemplateId
    name: str
    latest: int
    is_deleted: bool


def add(tx: Tx, template_id: TemplateId, name: str) -> Kept:
    """Store a template that has no text yet; the index lets no name in twice."""
    tx.insert(
        run_templates,
        {
            "id": template_id,
            "number": number_of(template_id, "TP"),
            "name": name,
            "latest": 0,
            "changed_at": tx.micros,
        },
    )
    return Kept(template_id, name, 0, is_deleted=False)


def add_edition(tx: Tx, kept: Kept, text: str) -> Kept:
    """Store another text, which is the template's from now on."""
    edition = kept.latest + 1
    tx.insert(
        run_template_versions,
        {
            "template_id": kept.id,
            "edition": edition,
            "text": text,
            "author": tx.principal.name,
        },
    )
    _point(tx, kept.id, edition)
    return Kept(kept.id, kept.name, edition, is_deleted=False)


def find(tx: Tx, reference: str) -> Kept | None:
    """Find a template by its id or its name, a deleted one as well."""
    rows = tx.run(_BY_ID, of=reference) or tx.run(_BY_NAME, of=reference)
    return _to_kept(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[Kept]:
    """List the templates that were not deleted, by name."""
    return [_to_kept(row) for row in tx.run(_LIVE, most=most)]


def find_edition(tx: Tx, template_id: TemplateId, edition: int) -> Edition | None:
    """Find one text that a template had."""
    rows = tx.run(_EDITION, of=template_id, number=edition)
    return _to_edition(rows[0]) if rows else None


def list_editions(tx: Tx, template_id: TemplateId, *, most: int) -> Sequence[Edition]:
    """List the texts that a template had, the newest first."""
    rows = tx.run(_HISTORY, of=template_id, most=most)
    return [_to_edition(row) for row in rows]


def mark_deleted(tx: Tx, kept: Kept) -> None:
    """Note that a template is gone; its editions stay for the runs made from them."""
    _point(tx, kept.id, kept.latest, gone_at=tx.now)


def _point(
    tx: Tx, template_id: TemplateId, latest: int, *, gone_at: datetime | None = None
) -> None:
    gone = tx.micros if gone_at else None
    tx.change(_POINT, of=template_id, newest=latest, at=tx.micros, gone_at=gone)


def _to_kept(row: Row) -> Kept:
    template_id, name, latest, deleted_at = row
    return Kept(TemplateId(template_id), name, latest, deleted_at is not None)


def _to_edition(row: Row) -> Edition:
    edition, author, created_at, text = row
    return Edition(
        edition=edition, author=author, created_at=from_micros(created_at), text=text
    )
