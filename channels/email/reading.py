"""A mail as it came, read into what the inbox keeps of it.

Everything that costs time is done here, once, off the event loop: parts, charsets,
HTML, quotes. Whatever a mail holds, it takes time in proportion to its size, and there
is always a payload: one with a `fault` says in people's words why it was not read.
"""

from typing import TypeGuard

from channels.email.bodies import read_attachments, read_body
from channels.email.headers import fault_of, read_headers
from channels.email.mime import TooComplex, first_headers, open_mail
from channels.email.quotes import strip
from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidJson

MAIL_BYTES = 25 * 1024 * 1024
CUT_CHARS = 4_000

_MESSAGE_KEYS = frozenset({"command", "args", "id"})
_MOST_LEVELS = 20

Payload = dict[str, Json]


def read(raw: bytes, *, address: str) -> Payload:
    """Read a mail that was sent to `address`, which may have been given a plus part.

    Shape:  `text` is what its sender wrote anew, `below` what may be new below a quote,
            `cut` the beginning of what is quoted, signed or boilerplate; `body_json` is there when all of the body is
            a command in JSON. `is_whole` is False when the end of the text is missing.
    """
    payload: Payload = {
        **read_headers(first_headers(raw), address=address),
        "text": "",
        "below": "",
        "cut": "",
        "is_whole": True,
        "body_json": None,
        "attachments": [],
        "fault": "",
    }
    if len(raw) > MAIL_BYTES:
        return {**payload, "fault": f"it has more than {MAIL_BYTES >> 20} MiB"}
    try:
        return {**payload, **_read(raw, address)}
    except TooComplex as fault:
        return {**payload, "fault": str(fault)}


def _read(raw: bytes, address: str) -> Payload:
    mail = open_mail(raw)
    payload = read_headers(mail.headers, address=address)
    if fault := fault_of(mail.headers):
        return {**payload, "fault": fault}
    body = read_body(mail)
    payload["attachments"] = read_attachments(mail, body)
    payload["is_whole"] = body.is_whole
    message = _message(body.raw)
    if message is not None and body.is_whole:
        return {**payload, "body_json": message}
    stripped = strip(body.text)
    return {
        **payload,
        "text": stripped.text,
        "below": stripped.below,
        "cut": stripped.cut[:CUT_CHARS],
    }


def _message(text: str) -> Payload | None:
    """Read a body that is one command in JSON; None when it is anything else."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    try:
        found = parse_json(text)
    except InvalidJson:
        return None
    return found if _is_message(found) else None


def _is_message(found: Json) -> TypeGuard[Payload]:
    return (
        isinstance(found, dict)
        and isinstance(found.get("command"), str)
        and found.keys() <= _MESSAGE_KEYS
        and _is_shallow(found, _MOST_LEVELS)
    )


def _is_shallow(value: Json, levels: int) -> bool:
    """Tell whether nothing is nested so deeply that it could not be stored again."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return True
    return levels > 0 and all(_is_shallow(each, levels - 1) for each in value)
