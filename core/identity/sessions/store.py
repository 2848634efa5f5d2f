"""Queries over sessions."""

from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.identity.sessions.model import Session
from core.identity.sessions.tables import sessions
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import UserId

_OWN = sessions.c.tenant_id == bindparam("tenant")
_FIND = Prepared(
    sessions.select()
    .with_only_columns(
        sessions.c.id,
        sessions.c.user_id,
        sessions.c.jti_hash,
        sessions.c.expires_at,
        sessions.c.ended_at,
    )
    .where(_OWN, sessions.c.id == bindparam("of"))
)
# Compare-and-swap: of two refreshes with one token, at most one changes the row.
_ROTATE = Prepared(
    sessions.update()
    .where(
        _OWN,
        sessions.c.id == bindparam("of"),
        sessions.c.jti_hash == bindparam("old"),
        sessions.c.ended_at == 0,
    )
    .values(
        jti_hash=bindparam("new"),
        expires_at=bindparam("until"),
        version=sessions.c.version + 1,
    )
)
_END = Prepared(
    sessions.update()
    .where(
        _OWN,
        sessions.c.id == bindparam("of"),
        sessions.c.ended_at == 0,
    )
    .values(ended_at=bindparam("now"), version=sessions.c.version + 1)
)
_END_ALL = Prepared(
    sessions.update()
    .where(
        _OWN,
        sessions.c.user_id == bindparam("whose"),
        sessions.c.ended_at == 0,
    )
    .values(ended_at=bindparam("now"), version=sessions.c.version + 1)
)
_PURGE = Prepared(
    sessions.delete().where(
        _OWN,
        sessions.c.user_id == bindparam("whose"),
        sessions.c.expires_at < bindparam("now"),
    )
)


def add(tx: Tx, session: Session) -> None:
    """Store a new session."""
    tx.insert(
        sessions,
        {
            "id": session.id,
            "user_id": session.user_id,
            "jti_hash": session.jti_hash,
            "expires_at": to_micros(session.expires_at),
            "ended_at": 0,
        },
    )


def find(tx: Tx, session_id: str) -> Session | None:
    """Find a session by id."""
    rows = tx.run(_FIND, of=session_id)
    return _to_session(rows[0]) if rows else None


def rotate(tx: Tx, session: Session, *, new: str, until: int) -> None:
    """Swap the current token's hash for a new one."""
    tx.change(_ROTATE, of=session.id, old=session.jti_hash, new=new, until=until)


def end(tx: Tx, session_id: str) -> bool:
    """End a session; tell whether it was open."""
    return tx.change(_END, of=session_id, now=tx.micros) == 1


def end_all(tx: Tx, user_id: str) -> int:
    """End all sessions of a user; count those that were open."""
    return tx.change(_END_ALL, whose=user_id, now=tx.micros)


def purge(tx: Tx, user_id: str) -> None:
    """Delete a user's sessions that have expired."""
    tx.change(_PURGE, whose=user_id, now=tx.micros)


def _to_session(row: Row) -> Session:
    session_id, user_id, jti_hash, expires_at, ended_at = row
    return Session(
        id=session_id,
        user_id=UserId(user_id),
        jti_hash=jti_hash,
        expires_at=from_micros(expires_at),
        is_ended=ended_at != 0,
    )
