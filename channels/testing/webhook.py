"""Webhook senders of one's own: each signs what it delivers as the real one does."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha256
from hmac import new
from secrets import token_hex

from standardwebhooks import Webhook

Sender = Callable[[bytes, str, datetime], dict[str, str]]


def sign(body: str, *, key: bytes, now: datetime, id_: str = "") -> dict[str, str]:
    """Write the headers of one delivery; `id_` is the same when it comes again."""
    message_id = id_ or f"msg_{token_hex(12)}"
    return {
        "webhook-id": message_id,
        "webhook-timestamp": _seconds(now),
        "webhook-signature": Webhook(key).sign(message_id, now, body),
    }


def sign_as(sender: str, body: bytes, *, secret: str, now: datetime) -> dict[str, str]:
    """Write the headers of one delivery as a kind of sender does.

    Shape:  `sender` is what an endpoint's `--auth` names; `secret` is shared with it.
    """
    return _SENDERS[sender](body, secret, now)


def _standard(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    key = b64decode(secret.removeprefix("whsec_"))
    message_id = f"msg_{sha256(body).hexdigest()[:24]}"
    return sign(body.decode(), key=key, now=now, id_=message_id)


def _github(body: bytes, secret: str, _: datetime) -> dict[str, str]:
    return {
        "x-github-event": "push",
        "x-github-delivery": token_hex(16),
        "x-hub-signature-256": f"sha256={_mac(secret, body)}",
    }


def _gitlab(_: bytes, secret: str, __: datetime) -> dict[str, str]:
    return {"x-gitlab-event": "Push Hook", "x-gitlab-token": secret}


def _stripe(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    seconds = _seconds(now)
    mac = _mac(secret, seconds.encode() + b"." + body)
    return {"stripe-signature": f"t={seconds},v1={mac},v0={'0' * 64}"}


def _slack(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    seconds = _seconds(now)
    mac = _mac(secret, b"v0:" + seconds.encode() + b":" + body)
    return {"x-slack-request-timestamp": seconds, "x-slack-signature": f"v0={mac}"}


def _grafana(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    seconds = _seconds(now)
    return {
        "x-grafana-alerting-timestamp": seconds,
        "x-grafana-alerting-signature": _mac(secret, seconds.encode() + b":" + body),
    }


def _mac(secret: str, text: bytes) -> str:
    return new(secret.encode(), text, sha256).hexdigest()


def _seconds(now: datetime) -> str:
    return str(int(now.timestamp()))


_SENDERS: Mapping[str, Sender] = {
    "standard": _standard,
    "github": _github,
    "gitlab": _gitlab,
    "stripe": _stripe,
    "slack": _slack,
    "grafana": _grafana,
}
