"""Reads a delivery's headers and writes its receipt; pure, and believes nothing yet."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from hashlib import sha256
from urllib.parse import parse_qsl

from core.kernel.jsons import Json, to_json
from core.kernel.problems import InvalidHeader, InvalidJson, Unauthenticated

KEY_LIMIT = 255

_SECRETIVE = re.compile(
    r"authorization|\bauth\b|cookie|token|secret|signature|\bsig\b|jwt|passw(?:or)?d"
    r"|(?:api|access|private)[-_]?key|credential|session"
)
_STORED_MOST = 50
_STORED_CHARS = 500
_QUERY_CHARS = 4_000
_BASIC = "basic "


def parse_key(headers: Mapping[str, str]) -> str:
    """Read the Idempotency-Key, "" when each delivery is a message of its own.

    Raises: InvalidHeader when it is too long.
    """
    key = headers.get("idempotency-key", "").strip()
    if len(key) > KEY_LIMIT:
        raise InvalidHeader(
            f"the Idempotency-Key has more than {KEY_LIMIT} characters",
            fix=["use a UUID"],
        )
    return key


def parse_basic(authorization: str) -> str:
    """Read the password out of HTTP Basic, "" when the header is of another kind.

    The name before it says nothing: the key itself tells whose it is.

    Raises: Unauthenticated when it cannot be read or is empty.
    """
    if authorization[: len(_BASIC)].lower() != _BASIC:
        return ""
    try:
        pair = b64decode(authorization[len(_BASIC) :].strip(), validate=True)
        password = pair.decode("ascii").partition(":")[2]
    except (Error, ValueError):
        password = ""
    if not password:
        raise Unauthenticated(
            "HTTP Basic was sent without a password", fix=["send the key as password"]
        )
    return password


def parse_text(body: bytes) -> str:
    """Read the bytes of a body as text.

    Raises: InvalidJson when they are none.
    """
    try:
        return body.decode()
    except UnicodeDecodeError as fault:
        raise InvalidJson(
            "the body is not text in UTF-8", fix=["send JSON or a form in UTF-8"]
        ) from fault


def digest(body: bytes) -> str:
    """Return what makes two deliveries under one key the same."""
    return sha256(body).hexdigest()


def storable_headers(headers: Mapping[str, str]) -> dict[str, Json]:
    """Keep the headers that help to understand a delivery, and none that let one in."""
    return _storable(headers)


def storable_query(query: bytes) -> dict[str, Json]:
    """Keep the query of the address in the same way; of repeated names the last."""
    text = query.decode("latin-1")
    return _storable(dict(parse_qsl(text[:_QUERY_CHARS], keep_blank_values=True)))


def render_receipt(request_id: str, url: str) -> bytes:
    """Write the acknowledgement: where the answer will be."""
    return to_json({"request_id": request_id, "url": url})


def render_slack_receipt() -> bytes:
    """Write what Slack shows to whoever sent a slash command."""
    return to_json({"response_type": "ephemeral", "text": "Received."})


def parse_challenge(payload: Json) -> str:
    """Read what Slack wants back when it gets to know an address; "" for all else."""
    if not isinstance(payload, dict) or payload.get("type") != "url_verification":
        return ""
    challenge = payload.get("challenge")
    return challenge if isinstance(challenge, str) else ""


def render_challenge(challenge: str) -> bytes:
    """Give a challenge back."""
    return to_json({"challenge": challenge})


def _storable(named: Mapping[str, str]) -> dict[str, Json]:
    kept = sorted(name for name in named if not _SECRETIVE.search(name.lower()))
    return {
        name[:_STORED_CHARS]: named[name][:_STORED_CHARS]
        for name in kept[:_STORED_MOST]
    }
