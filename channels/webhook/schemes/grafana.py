"""Grafana's signature: the hex HMAC of the body, or of `seconds:body`.

The time is signed when the contact point has a timestamp header, which must bear the
name below. One that is sent has to be covered by the signature.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.webhook.schemes.base import (
    Proven,
    digest,
    hex_macs,
    parse_seconds,
    require_match,
    require_recent,
    unsigned,
)

SIGNATURE = "x-grafana-alerting-signature"
TIMESTAMP = "x-grafana-alerting-timestamp"

_FORM = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GrafanaProof:
    """A hex signature, and the seconds it covers, "" for none."""

    signature: str
    seconds: str

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare it with the body's own; a repeated notice is the same message."""
        signed = body
        if self.seconds:
            require_recent(parse_seconds(self.seconds), now)
            signed = self.seconds.encode() + b":" + body
        require_match(hex_macs(keys, signed), [self.signature])
        return Proven(digest(body), digest(body))


def parse(headers: Mapping[str, str]) -> GrafanaProof:
    """Read the signature, and the time if one is sent.

    Raises: Unauthenticated.
    """
    signature = headers.get(SIGNATURE, "")
    if not _FORM.fullmatch(signature):
        raise unsigned("X-Grafana-Alerting-Signature: <64 hex digits>")
    seconds = headers.get(TIMESTAMP, "")
    if TIMESTAMP in headers:
        parse_seconds(seconds)
    return GrafanaProof(signature, seconds)
