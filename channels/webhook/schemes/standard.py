"""A Standard Webhooks signature over the raw bytes, checked with our own clock."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from standardwebhooks import Webhook

from channels.webhook.schemes.base import (
    Proven,
    digest,
    parse_seconds,
    require_match,
    require_recent,
)
from core.kernel.problems import Unauthenticated

# What is signed is `id.seconds.body`, so an id with a dot could be read in two ways.
_ID = re.compile(r"[!-\-/-~]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardProof:
    """What a signed delivery claims: its id, when it was signed, and the signatures."""

    id: str
    signed_at: datetime
    signatures: tuple[str, ...]

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare each signature with those made now; the id is the message's own."""
        require_recent(self.signed_at, now)
        expected = [self._sign(key, body) for key in keys if key]
        require_match(expected, self.signatures)
        return Proven(self.id, digest(body))

    def _sign(self, key: bytes, body: bytes) -> str:
        try:
            return Webhook(key).sign(self.id, self.signed_at, body.decode())
        except UnicodeDecodeError as fault:
            raise Unauthenticated(
                "the delivery is not text in UTF-8", fix=["send JSON in UTF-8"]
            ) from fault


def parse(headers: Mapping[str, str]) -> StandardProof:
    """Read the three headers of Standard Webhooks.

    Raises: Unauthenticated when one is missing or is not what it should be.
    """
    message_id = headers.get("webhook-id", "")
    seconds = headers.get("webhook-timestamp", "")
    signatures = tuple(headers.get("webhook-signature", "").split())
    if not (message_id and seconds and signatures):
        raise Unauthenticated(
            "the delivery is not signed",
            fix=["send webhook-id, webhook-timestamp and webhook-signature"],
        )
    if not _ID.fullmatch(message_id):
        raise Unauthenticated(
            "the delivery's id or timestamp is not valid",
            fix=["use an id without dots, and the time in whole seconds since 1970"],
        )
    return StandardProof(
        id=message_id, signed_at=parse_seconds(seconds), signatures=signatures
    )
