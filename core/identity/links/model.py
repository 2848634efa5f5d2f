"""What a linked account and a link code are, and how many tries a person has."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from secrets import choice

from core.kernel.ids import UserId

CODE_CHARS = 8
CODE_TTL = timedelta(minutes=10)
OPEN_CODES = 3
ATTEMPTS = 5
ATTEMPT_WINDOW = timedelta(minutes=10)

# No 0 O, 1 I L, 5 S, 8 B, U V: what people mistake for one another.
_ALPHABET = "234679ACDEFGHJKMNPQRTWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One sender: a user id is only unique within its channel's account."""

    channel: str
    account: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An account that is linked to a person."""

    account: Account
    user_id: UserId
    linked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCode:
    """A code to be typed by the signed-in person; the only copy of its text."""

    text: str
    expires_at: datetime


class LinkRefusal(StrEnum):
    """Why a code did not link."""

    UNKNOWN = "unknown"
    TOO_MANY = "too_many"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A code that did not link.

    Units:  `retry_after` is how long until tries count again, zero if no wait helps.
    """

    reason: LinkRefusal
    retry_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The wrong codes that one person typed in the present window."""

    count: int
    until: datetime

    def is_spent(self, now: datetime) -> bool:
        """Tell whether no further try is allowed for now."""
        return self.count >= ATTEMPTS and now < self.until


def new_code() -> str:
    """Make a code: 8 characters that cannot be mistaken for each other."""
    return "".join(choice(_ALPHABET) for _ in range(CODE_CHARS))


def fold_code(text: str) -> str:
    """Undo how people copy a code: `ab2c-d3e4` is AB2CD3E4."""
    return "".join(text.split()).replace("-", "").upper()[: 2 * CODE_CHARS]


def hash_code(code: str) -> str:
    """Hash a code as it is stored."""
    return sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
