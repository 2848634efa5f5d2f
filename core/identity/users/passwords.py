"""Passwords: argon2 hashes, checked in the same time whether or not a user exists.

Hashing takes tens of milliseconds and 64 MiB on purpose: do it on a thread of the
edge and never inside a unit of work, which would hold up every writer.
"""

import unicodedata
from typing import NewType

from pwdlib import PasswordHash as Hasher
from pwdlib.exceptions import UnknownHashError

from core.kernel.problems import InvalidArgument

PasswordHash = NewType("PasswordHash", str)

NO_PASSWORD = PasswordHash("")
LEAST_CHARS = 10
MOST_CHARS = 200

_hasher = Hasher.recommended()
# The hash of random bytes that nobody kept, with the parameters of `recommended()`.
_DECOY = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$9mQhASn4ZLRAnDfaKK+qog$1ISjO9aSFRuLMmwb+m8Opv7717Wd+z7+fiIBJVF/T0c"
)


def hash_password(password: str) -> PasswordHash:
    """Hash a new password.

    Raises: InvalidArgument when it is too short, or too long to be one.
    """
    if not LEAST_CHARS <= len(password) <= MOST_CHARS:
        raise InvalidArgument(
            "the password is too short or too long",
            fix=[f"use {LEAST_CHARS} to {MOST_CHARS} characters"],
        )
    return PasswordHash(_hasher.hash(_normal(password)))


def is_password(password: str, stored: PasswordHash) -> bool:
    """Check a password; an absent hash costs the same time and never fits."""
    try:
        is_right = _hasher.verify(_normal(password[:MOST_CHARS]), stored or _DECOY)
    except UnknownHashError:
        return False
    return is_right and stored != NO_PASSWORD and len(password) <= MOST_CHARS


def _normal(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
