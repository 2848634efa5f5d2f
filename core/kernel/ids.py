"""Identifiers: numbered ones with a noun's prefix, and random ones for the rest."""

import os
import re
import threading
import time
from collections.abc import Iterator
from typing import NewType

TaskId = NewType("TaskId", str)
LeaseId = NewType("LeaseId", str)
UserId = NewType("UserId", str)
KeyId = NewType("KeyId", str)
WebhookId = NewType("WebhookId", str)
SubscriptionId = NewType("SubscriptionId", str)
TriggerId = NewType("TriggerId", str)
RunId = NewType("RunId", str)
ArtifactId = NewType("ArtifactId", str)
TemplateId = NewType("TemplateId", str)
ScheduleId = NewType("ScheduleId", str)
JobId = NewType("JobId", str)
VariantId = NewType("VariantId", str)
ExportId = NewType("ExportId", str)

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(120, -1, -10)

PREFIX_NOUNS: dict[str, str] = {
    "T": "task",
    "L": "lease",
    "E": "event",
    "J": "job",
    "V": "variant",
    "X": "export",
    "S": "schedule",
    "G": "trigger",
    "R": "run",
    "TP": "template",
    "A": "artifact",
    "I": "improvement",
    "C": "connection",
    "B": "budget",
    "O": "outcome",
    "M": "multimodal",
    "AP": "approval",
    "U": "user",
    "K": "key",
    "W": "webhook",
    "D": "outbox",
    "SB": "subscription",
}

NUMBERED = re.compile(r"([A-Z]{1,2})-([1-9][0-9]{0,17})")


def numbered(prefix: str, number: int) -> str:
    """Write `T-12`."""
    return f"{prefix}-{number}"


def number_of(identifier: str, prefix: str) -> int | None:
    """Read the 12 out of `T-12`; None when it is no id with this prefix."""
    found = NUMBERED.fullmatch(identifier)
    return int(found[2]) if found and found[1] == prefix else None


class _Random(threading.local):
    """Random bytes drawn in blocks, a block for each thread.

    Drawing ten at a time gives up the interpreter each time, and winning it back from
    a busy thread took longer than the rest of a command.
    """

    def __init__(self) -> None:
        self._blocks = self._draw()

    def take(self) -> bytes:
        """Return ten bytes that nobody else is given."""
        return next(self._blocks)

    def _draw(self) -> Iterator[bytes]:
        while True:
            block = os.urandom(_BLOCK_BYTES)
            for start in range(0, _BLOCK_BYTES, _TOKEN_BYTES):
                yield block[start : start + _TOKEN_BYTES]


_TOKEN_BYTES = 10
_BLOCK_BYTES = 4000
_RANDOM = _Random()


def random_id(prefix: str) -> str:
    """Make `rp_01JC8…`: a prefix and a random token."""
    return f"{prefix}_{random_token()}"


def random_token() -> str:
    """Make 26 sortable characters: 48 bits of milliseconds, then 80 random bits."""
    value = (int(time.time() * 1000) << 80) | int.from_bytes(_RANDOM.take())
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in _SHIFTS])


def random_share() -> float:
    """Draw a number from 0 to below 1, every one as likely as the next."""
    return int.from_bytes(_RANDOM.take()[:6]) / (1 << 48)
