"""How the fake Slack reaches the app: signed HTTP, or an envelope on its socket."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from channels.testing.slack.workspace import Payload

PATIENCE_SECONDS = 3.0

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the app said to one delivery.

    Shape:  `status` is that of HTTP, 200 for an envelope that was acknowledged and 0
            when nothing came back. `body` is what stood in the answer.
    """

    status: int
    body: Payload = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        """Tell whether Slack counts it as acknowledged."""
        return self.status == 200


def encode(kind: str, payload: Mapping[str, Any]) -> tuple[bytes, str]:
    """Write a delivery as Slack sends it over HTTP: its body and content type."""
    if kind == "slash_commands":
        return urlencode(payload).encode(), _FORM
    if kind == "interactive":
        return urlencode({"payload": orjson.dumps(payload)}).encode(), _FORM
    return orjson.dumps(payload), "application/json"


def sign(secret: str, body: bytes, *, at: float) -> dict[str, str]:
    """Sign a body as Slack does."""
    stamp = str(int(at))
    base = b"v0:" + stamp.encode() + b":" + body
    digest = hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answered:
    """Send one request to the app."""
    timeout = ClientTimeout(total=PATIENCE_SECONDS * 3)
    try:
        async with (
            ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers) as response,
        ):
            raw = await response.read()
            return Answered(status=response.status, body=_parsed(raw))
    except (ClientError, TimeoutError):
        return Answered(status=0)


def _parsed(raw: bytes) -> Payload:
    if not raw:
        return {}
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {"text": raw.decode(errors="replace")}
    return found if isinstance(found, dict) else {"value": found}
