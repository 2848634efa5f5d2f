"""Queries over login links."""

from datetime import datetime

from sqlalchemy import bindparam

from core.database import Prepared, Tx
from core.identity.logins.tables import login_links
from core.kernel.clock import to_micros

_OWN = login_links.c.tenant_id == bindparam("tenant")
_FIND = Prepared(
    login_links.select()
    .with_only_columns(login_links.c.user_id)
    .where(
        _OWN,
        login_links.c.hash == bindparam("hashed"),
        login_links.c.expires_at > bindparam("now"),
    )
)
# The count that this changes is the guarantee that a link lets in once.
_USE = Prepared(
    login_links.delete().where(
        _OWN,
        login_links.c.hash == bindparam("hashed"),
        login_links.c.expires_at > bindparam("now"),
    )
)
_PURGE = Prepared(
    login_links.delete().where(_OWN, login_links.c.expires_at <= bindparam("now"))
)


def add(tx: Tx, token_hash: str, user_id: str, *, expires_at: datetime) -> None:
    """Store a link, and let go of those that have expired."""
    tx.change(_PURGE, now=tx.micros)
    tx.insert(
        login_links,
        {
            "hash": token_hash,
            "user_id": user_id,
            "expires_at": to_micros(expires_at),
        },
    )


def find_user_id(tx: Tx, token_hash: str) -> str:
    """Find whom an unused link lets in, "" if nobody."""
    rows = tx.run(_FIND, hashed=token_hash, now=tx.micros)
    return str(rows[0][0]) if rows else ""


def use(tx: Tx, token_hash: str) -> bool:
    """Use a link up; tell whether it was unused."""
    return tx.change(_USE, hashed=token_hash, now=tx.micros) == 1
