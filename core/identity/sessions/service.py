"""Begin, refresh and end sessions.

A refresh token works once. When an old one comes back, somebody copied it: the whole
session ends, for the thief and for the owner, who signs in again.
"""

from core.database import Tx
from core.events.service import append
from core.identity.sessions import store
from core.identity.sessions.model import (
    SESSION_TTL,
    Session,
    Standing,
    hash_jti,
    judge,
    new_jti,
)
from core.kernel.clock import to_micros
from core.kernel.ids import UserId


def begin(tx: Tx, user_id: UserId) -> tuple[Session, str]:
    """Begin a session; return it with the id of its first refresh token."""
    store.purge(tx, user_id)
    jti = new_jti()
    session = Session(
        id=tx.new_token("se"),
        user_id=user_id,
        jti_hash=hash_jti(jti),
        expires_at=tx.now + SESSION_TTL,
        is_ended=False,
    )
    store.add(tx, session)
    append(tx, "session_began", target=user_id, session=session.id)
    return session, jti


def find_open(tx: Tx, session_id: str) -> Session | None:
    """Find a session that has neither ended nor expired."""
    session = store.find(tx, session_id)
    if session is None or session.is_ended or tx.now >= session.expires_at:
        return None
    return session


def refresh(tx: Tx, session_id: str, jti: str) -> tuple[Standing, str]:
    """Swap the current refresh token for a new one; return the new token's id.

    Shape:  anything but CURRENT comes with "". It is returned and not raised, because
            the end of a session whose token was reused must be committed.
    """
    session = store.find(tx, session_id)
    if session is None:
        return Standing.ENDED, ""
    standing = judge(session, jti, now=tx.now)
    if standing is Standing.REUSED:
        store.end(tx, session.id)
        append(tx, "session_reused", target=session.user_id, session=session.id)
    if standing is not Standing.CURRENT:
        return standing, ""
    new = new_jti()
    store.rotate(tx, session, new=hash_jti(new), until=to_micros(tx.now + SESSION_TTL))
    return Standing.CURRENT, new


def end(tx: Tx, session_id: str) -> bool:
    """End one session (sign out); tell whether it was open."""
    session = store.find(tx, session_id)
    if session is None or not store.end(tx, session_id):
        return False
    append(tx, "session_ended", target=session.user_id, session=session_id)
    return True


def end_all(tx: Tx, user_id: str) -> int:
    """End every session of a user; count those that were open."""
    ended = store.end_all(tx, user_id)
    if ended:
        append(tx, "session_ended", target=user_id, count=ended)
    return ended
