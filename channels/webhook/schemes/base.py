"""What all kinds of signature have in common; pure, over raw bytes, in constant time.

A scheme reads what the headers claim before the body is read, and believes nothing. The
proof then looks at the bytes of the body, before anything parses them, with every key
that counts at this moment.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest, new
from typing import NamedTuple, Protocol

from core.kernel.problems import Unauthenticated

TOLERANCE = timedelta(minutes=5)

_SECONDS = re.compile(r"[0-9]{1,11}")


class Proven(NamedTuple):
    """What a delivery that was proven is known by.

    Shape:  one `key` is one message, however often it comes; what comes under it with
            another `digest` is refused. Both are taken from what the signature covers.
    """

    key: str
    digest: str


class Proof(Protocol):
    """What a delivery claims, waiting to be checked against its body."""

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Pass when one of the keys made what was claimed, a moment ago.

        Shape:  `keys` are all that count now, because the two ends may be rotating.
        Raises: Unauthenticated.
        """


Scheme = Callable[[Mapping[str, str]], Proof]
"""Reads a proof off the headers (names in lower case); raises Unauthenticated."""


def parse_seconds(text: str) -> datetime:
    """Read a moment in whole seconds since 1970.

    Raises: Unauthenticated when it is anything else.
    """
    if not _SECONDS.fullmatch(text):
        raise Unauthenticated(
            "the delivery's id or timestamp is not valid",
            fix=["use an id without dots, and the time in whole seconds since 1970"],
        )
    return datetime.fromtimestamp(int(text), UTC)


def require_recent(signed_at: datetime, now: datetime) -> None:
    """Let 5 minutes pass, in both directions.

    Raises: Unauthenticated.
    """
    if abs(now - signed_at) > TOLERANCE:
        raise Unauthenticated(
            "the delivery was not signed within the last 5 minutes",
            fix=["check the sender's clock", "sign each attempt anew"],
        )


def require_match(expected: Iterable[str], given: Sequence[str]) -> None:
    """Pass when one of what was given is one of what was expected.

    All pairs are compared, so that the time taken tells nothing.

    Raises: Unauthenticated.
    """
    found = [
        compare_digest(good.encode(), each.encode())
        for good in expected
        for each in given
    ]
    if not any(found):
        raise Unauthenticated(
            "the signature does not fit the delivery",
            fix=["sign the raw body with this webhook's secret"],
        )


def hex_macs(keys: Sequence[bytes], text: bytes) -> list[str]:
    """Sign a text with each key, in hex; an empty key signs nothing."""
    return [new(key, text, sha256).hexdigest() for key in keys if key]


def digest(text: bytes) -> str:
    """Return what stands for a text where it is compared."""
    return sha256(text).hexdigest()


def unsigned(what: str) -> Unauthenticated:
    """Build the refusal of a delivery whose headers claim nothing usable."""
    return Unauthenticated("the delivery is not signed", fix=[f"send {what}"])
