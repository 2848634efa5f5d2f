"""GitHub's signature: the hex HMAC of the raw body in `X-Hub-Signature-256`.

Its delivery id is not signed, so it could be changed to have a message run twice: the
message is known by its body instead.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.webhook.schemes.base import (
    Proven,
    digest,
    hex_macs,
    require_match,
    unsigned,
)

_FORM = re.compile(r"sha256=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class GitHubProof:
    """A hex signature."""

    signature: str

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare it with the body's own; GitHub signs no time."""
        require_match(hex_macs(keys, body), [self.signature])
        return Proven(digest(body), digest(body))


def parse(headers: Mapping[str, str]) -> GitHubProof:
    """Read the signature; the older one with SHA-1 does not count.

    Raises: Unauthenticated.
    """
    found = _FORM.fullmatch(headers.get("x-hub-signature-256", ""))
    if found is None:
        raise unsigned("X-Hub-Signature-256: sha256=<64 hex digits>")
    return GitHubProof(found[1])
