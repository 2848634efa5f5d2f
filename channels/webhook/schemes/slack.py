"""Slack's signature: the hex HMAC of `v0:seconds:body`."""

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

_FORM = re.compile(r"v0=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class SlackProof:
    """A hex signature, and the seconds it covers."""

    signature: str
    seconds: str

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare it with one made now; an event is known by its `event_id`."""
        require_recent(parse_seconds(self.seconds), now)
        signed = b"v0:" + self.seconds.encode() + b":" + body
        require_match(hex_macs(keys, signed), [self.signature])
        return known_by("event_id", body, signed=signed)


def parse(headers: Mapping[str, str]) -> SlackProof:
    """Read the signature and its time.

    Raises: Unauthenticated.
    """
    found = _FORM.fullmatch(headers.get("x-slack-signature", ""))
    seconds = headers.get("x-slack-request-timestamp", "")
    if found is None or not seconds:
        raise unsigned("X-Slack-Request-Timestamp and X-Slack-Signature: v0=<hex>")
    parse_seconds(seconds)
    return SlackProof(found[1], seconds)
