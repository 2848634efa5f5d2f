"""Queries over the secrets of runs."""

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, literal_column, select

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.runs.secrets.model import RunSecret
from core.runs.secrets.tables import run_secrets

_TABLE = run_secrets.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMED = _TABLE.name == bindparam("of")
_ALL = run_secrets.select().with_only_columns(
    _TABLE.name, _TABLE.author, _TABLE.created_at, _TABLE.changed_at
)
_BY_NAME = Prepared(_ALL.where(_OWN, _NAMED))
_FIRST = Prepared(_ALL.where(_OWN).order_by(_TABLE.name).limit(bindparam("most")))
_CHANGE = Prepared(
    run_secrets.update()
    .where(_OWN, _NAMED)
    .values(
        sealed=bindparam("text"),
        author=bindparam("by"),
        changed_at=bindparam("at"),
        version=_TABLE.version + literal_column("1"),
    )
)
_DELETE = Prepared(run_secrets.delete().where(_OWN, _NAMED))


def find(tx: Tx, name: str) -> RunSecret | None:
    """Find what is known of a secret."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_secret(rows[0]) if rows else None


def list_(tx: Tx, *, most: int) -> Sequence[RunSecret]:
    """List the secrets by name."""
    return [_to_secret(row) for row in tx.run(_FIRST, most=most)]


def names_among(tx: Tx, names: Sequence[str]) -> Sequence[str]:
    """List those of some names that there are."""
    if not names:
        return ()
    query = select(_TABLE.name).where(
        _TABLE.tenant_id == tx.tenant, _TABLE.name.in_(names)
    )
    return [str(each.name) for each in tx.execute(query)]


def sealed(tx: Tx, names: Sequence[str]) -> Mapping[str, str]:
    """Read the sealed texts of those that there are, by name."""
    if not names:
        return {}
    query = select(_TABLE.name, _TABLE.sealed).where(
        _TABLE.tenant_id == tx.tenant, _TABLE.name.in_(names)
    )
    rows = map(tuple, tx.execute(query))
    return {str(name): str(text) for name, text in rows}


def put(tx: Tx, name: str, *, sealed: str) -> None:
    """Store a sealed text under a name, in place of one that was there."""
    now = to_micros(tx.now)
    by = tx.principal.name
    if not tx.change(_CHANGE, of=name, text=sealed, by=by, at=now):
        tx.insert(
            run_secrets,
            {"name": name, "sealed": sealed, "author": by, "changed_at": now},
        )


def delete(tx: Tx, name: str) -> None:
    """Remove a secret."""
    tx.change(_DELETE, of=name)


def _to_secret(row: Row) -> RunSecret:
    name, author, created_at, changed_at = row
    return RunSecret(
        name=name,
        author=author,
        created_at=from_micros(created_at),
        changed_at=from_micros(changed_at),
    )
