"""Identifiers: numbered ones with a noun's prefix, and random ones for the rest."""

import os
import re
import time
from typing import NewType

TaskId = NewType("TaskId", str)
LeaseId = NewType("LeaseId", str)
UserId = NewType("UserId", str)
KeyId = NewType("KeyId", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

PREFIX_NOUNS: dict[str, str] = {
    "T": "task", "L": "lease", "E": "event", "J": "job", "V": "variant", "X": "export",
    "S": "schedule", "G": "trigger", "R": "run", "TP": "template", "A": "artifact",
    "I": "improvement", "C": "connection", "B": "budget", "O": "outcome",
    "M": "multimodal", "AP": "approval", "U": "user", "K": "key", "W": "webhook",
}

NUMBERED = re.compile(r"([A-Z]{1,2})-([1-9][0-9]{0,17})")


def numbered(prefix: str, number: int) -> str:
    """Write `T-12`."""
    return f"{prefix}-{number}"


def number_of(identifier: str, prefix: str) -> int | None:
    """Read the 12 out of `T-12`; None when it is no id with this prefix."""
    found = NUMBERED.fullmatch(identifier)
    return int(found[2]) if found and found[1] == prefix else None


def random_id(prefix: str) -> str:
    """Make `rp_01JC8…`: 48 bits of milliseconds, then 80 random bits, sortable."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(os.urandom(10))
    digits = []
    for _ in range(26):
        digits.append(_ALPHABET[value & 31])
        value >>= 5
    return f"{prefix}_{''.join(reversed(digits))}"
