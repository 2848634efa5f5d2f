"""Signed requests: what is not signed by Slack, just now, is not even parsed."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from slack_sdk.signature import Clock as SecondsClock
from slack_sdk.signature import SignatureVerifier

from core.kernel.problems import Unauthenticated, Unavailable

_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_FIX = ["compare OPSWIRE_SLACK__SIGNING_SECRET with Basic Information of the app"]


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return the present."""


class Seal:
    """Tells what Slack signed from what anybody could have sent.

    Shape:  without a secret everything is refused; five minutes either way is too far.
    """

    def __init__(self, secret: str, clock: Clock) -> None:
        self._verifier = (
            SignatureVerifier(secret, clock=_Seconds(clock)) if secret.strip() else None
        )

    def require(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check the signature over the raw body, before anything is parsed.

        Shape:  `headers` by their lower-case names.
        Raises: Unavailable without a secret, Unauthenticated for what does not hold.
        """
        if self._verifier is None:
            raise Unavailable(
                "no signing secret is set", fix=["set OPSWIRE_SLACK__SIGNING_SECRET"]
            )
        stamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not _TIMESTAMP.fullmatch(stamp) or not _SIGNATURE.fullmatch(signature):
            raise Unauthenticated("the request is not signed by Slack", fix=_FIX)
        if not self._is_valid(body, stamp, signature):
            raise Unauthenticated("the signature does not hold", fix=_FIX)

    def _is_valid(self, body: bytes, stamp: str, signature: str) -> bool:
        assert self._verifier is not None
        try:
            return self._verifier.is_valid(body, stamp, signature)
        except UnicodeDecodeError:
            return False


class _Seconds(SecondsClock):
    """Our clock, as the verifier reads it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return seconds since 1970."""
        return self._clock.now().timestamp()
