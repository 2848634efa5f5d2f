"""A proposal and the rules by which it may be used."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

LIFETIME = timedelta(minutes=15)
KEPT = timedelta(days=1)  # so that whoever comes late is told that it is too late


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A command that one principal was asked to confirm.

    Shape:  `digest` binds it to the canonical command and to the state of its target;
            `id` is short enough to type.
    """

    id: str
    principal: str
    channel: str
    conversation: str
    command: str
    target: str
    digest: str
    expires_at: datetime
    is_consumed: bool = False


def digest_of(command: str, state: str) -> str:
    """Bind a canonical command to the state of what it is about."""
    return sha256(f"{command}\n{state}".encode()).hexdigest()
