"""What a session is, and the rule by which a refresh token is judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import token_urlsafe

from core.kernel.ids import UserId

SESSION_TTL = timedelta(days=30)


class Standing(StrEnum):
    """How a refresh token stands to its session."""

    CURRENT = "current"
    REUSED = "reused"
    ENDED = "ended"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A family of refresh tokens: only the newest one works.

    Units:  `expires_at` is 30 days after the last refresh.
    """

    id: str
    user_id: UserId
    jti_hash: str
    expires_at: datetime
    is_ended: bool


def new_jti() -> str:
    """Make the random id of a token."""
    return token_urlsafe(18)


def hash_jti(jti: str) -> str:
    """Hash a token's id as it is stored."""
    return sha256(jti.encode()).hexdigest()


def judge(session: Session, jti: str, *, now: datetime) -> Standing:
    """Say how a refresh token with this id stands to its session."""
    if session.is_ended:
        return Standing.ENDED
    if session.jti_hash != hash_jti(jti):
        return Standing.REUSED
    return Standing.EXPIRED if now >= session.expires_at else Standing.CURRENT
