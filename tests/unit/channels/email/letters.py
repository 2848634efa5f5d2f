"""Mails to read, and what becomes of them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from channels.base import Inbound
from channels.email.reading import read
from channels.email.wire import EmailWire
from core.kernel.jsons import Json

ADDRESS = "ops@example.org"
NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
REPLIES = Path(__file__).parents[3] / "fixtures" / "mail" / "replies"
EXPECTED: Mapping[str, str] = json.loads((REPLIES / "expected.json").read_text("utf-8"))

_HEADERS = {
    "From": "Ann Lee <ann@example.org>",
    "To": "Opswire <ops@example.org>",
    "Subject": "hello",
    "Message-ID": "<m1@example.org>",
}


def a_mail(body: str | bytes = "", **headers: str) -> bytes:
    """Write a mail; `content_type` becomes Content-Type, "" leaves a header out."""
    given = {name.replace("_", "-").title(): value for name, value in headers.items()}
    written = {
        **{name: given.pop(name.title(), value) for name, value in _HEADERS.items()},
        **given,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in written.items() if value)
    raw = body.replace("\n", "\r\n").encode() if isinstance(body, str) else body
    return head.encode("utf-8", "surrogateescape") + b"\r\n" + raw


def a_multipart(*parts: str | bytes, kind: str = "mixed", **headers: str) -> bytes:
    """Write a mail of parts, each with its own headers in front."""
    pieces = [each.encode() if isinstance(each, str) else each for each in parts]
    body = b"".join(b"--edge\r\n" + each + b"\r\n" for each in pieces) + b"--edge--\r\n"
    return a_mail(body, content_type=f'multipart/{kind}; boundary="edge"', **headers)


def stored(raw: bytes, **extra: Json) -> dict[str, Json]:
    """Read a mail as the adapter stores it."""
    return {
        **read(raw, address=ADDRESS),
        "thread": "<m1@example.org>",
        "assurance": 1,
        **extra,
    }


def parsed(raw: bytes, **extra: Json) -> Inbound:
    """Read a mail and find what it asks for."""
    return EmailWire().parse(stored(raw, **extra), account=ADDRESS, received_at=NOW)


def lines_of(inbound: Inbound) -> list[str]:
    """List the command lines that would run."""
    return [] if inbound.problem else [each.text for each in inbound.envelopes]


def commands_in(body: str, **headers: str) -> list[str]:
    """List the command lines that would run of a mail with this body."""
    return lines_of(parsed(a_mail(body, **headers)))
