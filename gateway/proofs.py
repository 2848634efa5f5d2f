"""What the database says of a credential now: the person behind it, or why not."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from core.database import Tx
from core.identity.keys import service as keys
from core.identity.keys.model import KeyFacts, KeyHash, KeyState
from core.identity.scopes import covers
from core.identity.sessions import service as sessions
from core.identity.tokens import Claims
from core.identity.users import store as users
from core.identity.users.model import User, to_principal
from core.kernel.clock import from_micros
from core.kernel.principal import Assurance, Principal
from core.kernel.problems import Unauthenticated

NEW_KEY = "key create <name>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A principal, and until when its credential lasts; None is without end."""

    principal: Principal
    expires_at: datetime | None = None
    last_used_at: datetime | None = None


def verify_key(tx: Tx, key_hash: KeyHash) -> Verified:
    """Find the person behind a key, of whatever tenant.

    Raises: Unauthenticated saying whether it is unknown, expired or revoked.
    """
    facts = keys.find_by_hash(tx, key_hash)
    if facts is None:
        raise Unauthenticated("this API key is not known", fix=["key list", NEW_KEY])
    _require_active(facts.state(tx.now))
    return Verified(
        principal=_key_principal(facts),
        expires_at=facts.key.expires_at,
        last_used_at=facts.key.last_used_at,
    )


def verify_claims(tx: Tx, claims: Claims) -> Verified:
    """Find the person behind an access token, whose session must still be open.

    Raises: Unauthenticated.
    """
    user = _find_signed_in(tx, claims.user_id, claims.session)
    if user is None:
        raise Unauthenticated("this session has ended", fix=["sign in again"])
    return Verified(
        principal=to_principal(user, Assurance.SECRET, session=claims.session),
        expires_at=from_micros(claims.expires_at * 1_000_000),
    )


def is_still_valid(tx: Tx, principal: Principal) -> bool:
    """Tell whether a principal of this tenant still holds every right it was given."""
    held = _find_rights(tx, principal)
    return held is not None and covers(held, principal.scopes)


def _find_rights(tx: Tx, principal: Principal) -> frozenset[str] | None:
    if principal.key_id:
        facts = keys.find_facts(tx, principal.key_id)
        is_active = facts is not None and facts.state(tx.now) is KeyState.ACTIVE
        if principal.session:  # of a pair, both must hold
            person = _find_signed_in(tx, principal.id, principal.session)
            is_active = is_active and person is not None
        return facts.scopes if facts is not None and is_active else None
    if principal.session:
        user = _find_signed_in(tx, principal.id, principal.session)
    else:
        user = users.find(tx, principal.id)
    return user.scopes if user is not None and user.is_active else None


def _find_signed_in(tx: Tx, user_id: str, session_id: str) -> User | None:
    session = sessions.find_open(tx, session_id)
    user = users.find(tx, user_id)
    if session is None or user is None or session.user_id != user.id:
        return None
    return user if user.is_active else None


def _key_principal(facts: KeyFacts) -> Principal:
    return to_principal(
        facts.owner, Assurance.SECRET, scopes=facts.scopes, key_id=facts.key.id
    )


def _require_active(state: KeyState) -> None:
    match state:
        case KeyState.ACTIVE:
            return
        case KeyState.EXPIRED:
            raise Unauthenticated("this API key has expired", fix=[NEW_KEY])
        case KeyState.REVOKED:
            raise Unauthenticated("this API key was revoked", fix=[NEW_KEY])
        case KeyState.OWNER_DISABLED:
            raise Unauthenticated(
                "the owner of this API key is disabled", fix=["ask an admin"]
            )
        case _:
            assert_never(state)
