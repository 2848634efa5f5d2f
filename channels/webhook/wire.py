"""Reads a delivery's headers and writes its receipt; pure, and believes nothing yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from core.kernel.jsons import Json, to_json
from core.kernel.problems import InvalidHeader, Unauthenticated

KEY_LIMIT = 255

# What is signed is `id.seconds.body`, so an id with a dot could be read in two ways.
_ID = re.compile(r"[!-\-/-~]{1,255}")
_SECONDS = re.compile(r"[0-9]{1,11}")
_SECRETIVE = re.compile(
    r"authorization|cookie|token|secret|signature|api-?key|password|credential"
)
_STORED_HEADERS = 50
_STORED_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a signed delivery claims: its id, when it was signed, and the signatures.

    Units:  `timestamp` is whole seconds since 1970.
    """

    id: str
    timestamp: int
    signatures: tuple[str, ...]


def parse_proof(headers: Mapping[str, str]) -> Proof:
    """Read the three headers of Standard Webhooks; names are in lower case.

    Raises: Unauthenticated when one is missing or is not what it should be.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    signatures = tuple(headers.get("webhook-signature", "").split())
    if not (message_id and timestamp and signatures):
        raise Unauthenticated(
            "the delivery is not signed",
            fix=["send webhook-id, webhook-timestamp and webhook-signature"],
        )
    if not _ID.fullmatch(message_id) or not _SECONDS.fullmatch(timestamp):
        raise Unauthenticated(
            "the delivery's id or timestamp is not valid",
            fix=["use an id without dots, and the time in whole seconds since 1970"],
        )
    return Proof(id=message_id, timestamp=int(timestamp), signatures=signatures)


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


def digest(body: bytes) -> str:
    """Return what makes two deliveries under one key the same."""
    return sha256(body).hexdigest()


def storable_headers(headers: Mapping[str, str]) -> dict[str, Json]:
    """Keep the headers that help to understand a delivery, and none that let one in."""
    kept = sorted(name for name in headers if not _SECRETIVE.search(name))
    return {name: headers[name][:_STORED_CHARS] for name in kept[:_STORED_HEADERS]}


def render_receipt(request_id: str, url: str) -> bytes:
    """Write the acknowledgement: where the answer will be."""
    return to_json({"request_id": request_id, "url": url})
