"""Key rings, where they are kept, and what a secret in the settings must look like."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.kernel.jsons import canonical_json
from core.kernel.problems import InvalidArgument

KEY_BYTES = 32
LEAST_CHARS = 16
LEAST_DISTINCT = 8

# Words that stand in for a secret, prefixes that say what one is for, and rows of keys.
_PLACEHOLDER = re.compile(
    r"changeme|replaceme|changethis|secret|password|passwort|passw0rd|default|example|"
    r"insecure|todo|none|null|xxx+|whsec|token|apikey|webhook|opswire|admin|letmein|"
    r"qwerty|abcdefgh|0?1234(5(6(7(8(90?)?)?)?)?)?"
)


class Purpose(StrEnum):
    """What a ring's keys are for; a key never serves two purposes."""

    SEAL = "seal"
    SIGN = "sign"
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The keys of one purpose by id: `current` for new work, the others to read old.

    Units:  each key has 32 bytes.
    """

    current: str
    keys: Mapping[str, bytes]


class Keystore(Protocol):
    """Keeps key rings outside the database."""

    def ring(self, purpose: Purpose) -> KeyRing:
        """Return a ring, made at first use.

        Raises: Unavailable when the store cannot be read.
        """

    def rotate(self, purpose: Purpose) -> KeyRing:
        """Add a key and make it current; the old ones still open and verify."""

    def retire(self, purpose: Purpose, key_id: str) -> KeyRing:
        """Forget a key for good; what only it could open stays shut.

        Raises: NotFound, Conflict for the current key.
        """


def context_of(tenant: str, table: str, *, row: str, field: str) -> str:
    """Name the one place where a sealed secret may be opened."""
    return canonical_json([tenant, table, row, field]).decode()


def check_secret(name: str, value: str, *, least: int = LEAST_CHARS) -> str:
    """Return a secret from the settings, refusing what is as good as none.

    Units:  `least` counts characters; at least 8 of them are different, beside what
            placeholders and prefixes bring along.
    Raises: InvalidArgument for a blank, short, uniform or placeholder value; it never
            says what the value was.
    """
    own = re.sub(r"[\W_]", "", value.casefold())
    rest = _PLACEHOLDER.sub("", own)
    if not value.strip():
        fault = "is empty"
    elif rest != own and len(set(rest)) < LEAST_DISTINCT:
        fault = "is a placeholder"
    elif len(value) < least:
        fault = f"is shorter than {least} characters"
    elif len(set(value)) < LEAST_DISTINCT:
        fault = f"has fewer than {LEAST_DISTINCT} different characters"
    else:
        return value
    raise InvalidArgument(
        f"{name} {fault}",
        fix=[
            f"set {name} to a random text, such as the output of: openssl rand -hex 32"
        ],
    )
