"""Checks a Standard Webhooks signature over the raw bytes, with our own clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hmac import compare_digest

from standardwebhooks import Webhook

from channels.webhook.wire import Proof
from core.kernel.problems import Unauthenticated

TOLERANCE = timedelta(minutes=5)


def verify(proof: Proof, body: bytes, *, keys: Sequence[bytes], now: datetime) -> None:
    """Pass when one of the signatures was made with one of the keys, a moment ago.

    Shape:  several signatures and several keys, because both ends may be rotating.
    Raises: Unauthenticated saying whether the time or the signature is wrong.
    """
    signed_at = datetime.fromtimestamp(proof.timestamp, UTC)
    if abs(now - signed_at) > TOLERANCE:
        raise Unauthenticated(
            "the delivery was not signed within the last 5 minutes",
            fix=["check the sender's clock", "sign each attempt anew"],
        )
    expected = [_sign(key, proof, signed_at, body) for key in keys]
    # All pairs are compared, so that the time taken tells nothing.
    found = [
        compare_digest(good.encode(), given.encode())
        for good in expected
        for given in proof.signatures
    ]
    if not any(found):
        raise Unauthenticated(
            "the signature does not fit the delivery",
            fix=["sign the raw body with this webhook's secret"],
        )


def _sign(key: bytes, proof: Proof, signed_at: datetime, body: bytes) -> str:
    try:
        return Webhook(key).sign(proof.id, signed_at, body.decode())
    except UnicodeDecodeError as fault:
        raise Unauthenticated(
            "the delivery is not text in UTF-8", fix=["send JSON in UTF-8"]
        ) from fault
