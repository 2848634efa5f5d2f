"""Stripe's signature: `t=seconds,v1=hex,...` over `seconds.body`.

While Stripe's own secret is being rolled it sends one `v1` for each; other versions are
made with other secrets and do not count.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.webhook.schemes.base import (
    Proven,
    hex_macs,
    parse_seconds,
    require_match,
    require_recent,
    unsigned,
)
from channels.webhook.schemes.ids import known_by

_MOST_SIGNATURES = 10
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StripeProof:
    """The signatures of version 1, and the seconds they cover."""

    signatures: tuple[str, ...]
    seconds: str

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare each with one made now; an event is known by its `id`."""
        require_recent(parse_seconds(self.seconds), now)
        signed = self.seconds.encode() + b"." + body
        require_match(hex_macs(keys, signed), self.signatures)
        return known_by("id", body, signed=signed)


def parse(headers: Mapping[str, str]) -> StripeProof:
    """Read the one time and the signatures of version 1.

    Raises: Unauthenticated.
    """
    parts = [
        each.strip().partition("=")
        for each in headers.get("stripe-signature", "").split(",")
    ]
    times = [value for name, _, value in parts if name == "t"]
    signatures = tuple(
        value for name, _, value in parts if name == "v1" and _HEX.fullmatch(value)
    )
    if len(times) != 1 or not 0 < len(signatures) <= _MOST_SIGNATURES:
        raise unsigned("Stripe-Signature: t=<seconds>,v1=<hex>")
    parse_seconds(times[0])
    return StripeProof(signatures, times[0])
