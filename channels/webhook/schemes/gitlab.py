"""GitLab's two proofs: a secret that is sent along, or a Standard Webhooks signature.

A delivery that is signed must be signed well, whatever token comes with it. A token
proves who sent the message and covers nothing of it, so that whoever could change the
message's id could as well write another message.
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from channels.webhook.schemes import standard
from channels.webhook.schemes.base import (
    Proof,
    Proven,
    digest,
    require_match,
    unsigned,
)

_PREFIX = b"whsec_"
_KEY_LIMIT = 255


@dataclass(frozen=True, slots=True)
class TokenProof:
    """A token, and what GitLab calls the message: "" when it has no name for it."""

    token: str
    name: str

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Compare it with the secrets; without a name the body is what it is known by."""
        require_match([each.decode() for each in keys if each], [self.token])
        return Proven(self.name or digest(body), digest(body))


@dataclass(frozen=True, slots=True)
class SignedProof:
    """A signature whose key is the secret's own bytes, or what it encodes."""

    standard: standard.StandardProof

    def prove(self, body: bytes, *, keys: Sequence[bytes], now: datetime) -> Proven:
        """Check it as Standard Webhooks has it."""
        signing = [_signing_key(each) for each in keys]
        return self.standard.prove(body, keys=signing, now=now)


def parse(headers: Mapping[str, str]) -> Proof:
    """Read the signature if there is one, else the token.

    Raises: Unauthenticated.
    """
    if "webhook-signature" in headers:
        return SignedProof(standard.parse(headers))
    token = headers.get("x-gitlab-token", "")
    if not token:
        raise unsigned("X-Gitlab-Token, or a signature of Standard Webhooks")
    name = headers.get("idempotency-key", "") or headers.get("webhook-id", "")
    return TokenProof(token, name if len(name) <= _KEY_LIMIT else "")


def _signing_key(secret: bytes) -> bytes:
    if not secret.startswith(_PREFIX):
        return secret
    try:
        return b64decode(secret.removeprefix(_PREFIX), validate=True)
    except Error:
        return b""
