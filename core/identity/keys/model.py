"""What an API key is, how its text is built, and what it allows.

`ops_live_` + 43 base62 characters (32 random bytes) + 6 of a CRC-32 over all before:
a mistyped key is told from an unknown one without asking the database, and scanners
of leaked secrets recognise ours.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from secrets import token_bytes
from typing import NewType
from zlib import crc32

from core.identity.scopes import Scopes, meet
from core.identity.users.model import User
from core.kernel.ids import KeyId, UserId

KeyHash = NewType("KeyHash", str)

KEY_PREFIX = "ops_live_"
SHOWN_CHARS = 12

_SECRET_CHARS = 43
_CHECK_CHARS = 6
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(KEY_PREFIX + f"[0-9A-Za-z]{{{_SECRET_CHARS + _CHECK_CHARS}}}")


class KeyState(StrEnum):
    """Whether a key works, and if not, why."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"
    OWNER_DISABLED = "owner_disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key without its text.

    Shape:  `prefix` is the text's beginning, for people; empty `scopes` mean whatever
            the owner may do; None as a time means never. `created_by` is the id of
            whoever made it, "" if that is not known.
    """

    id: KeyId
    name: str
    prefix: str
    user_id: UserId
    scopes: Scopes
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key that was just made, with the only copy of its text."""

    key: Key
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A key and its owner, which together say what the key may do now."""

    key: Key
    owner: User

    @property
    def scopes(self) -> Scopes:
        """What the key allows and its owner may still do."""
        if not self.key.scopes:
            return self.owner.scopes
        return meet(self.key.scopes, self.owner.scopes)

    def state(self, now: datetime) -> KeyState:
        """Say whether the key works at this moment."""
        if self.key.revoked_at is not None:
            return KeyState.REVOKED
        if self.key.expires_at is not None and now >= self.key.expires_at:
            return KeyState.EXPIRED
        return KeyState.ACTIVE if self.owner.is_active else KeyState.OWNER_DISABLED


def new_key_text() -> str:
    """Make the text of a new key."""
    secret = int.from_bytes(token_bytes(32))
    body = KEY_PREFIX + _base62(secret, _SECRET_CHARS)
    return body + _checksum(body)


def is_key_text(text: str) -> bool:
    """Tell whether a text has the form and the checksum of a key."""
    body, check = text[:-_CHECK_CHARS], text[-_CHECK_CHARS:]
    return _FORM.fullmatch(text) is not None and check == _checksum(body)


def hash_key(text: str) -> KeyHash:
    """Hash a key's text; 256 random bits need no salt and no slow hash."""
    return KeyHash(sha256(text.encode("utf-8", "surrogatepass")).hexdigest())


def _checksum(body: str) -> str:
    return _base62(crc32(body.encode()), _CHECK_CHARS)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
