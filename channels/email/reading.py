"""A mail as it came, read into what the inbox keeps of it.

Everything that costs time is done here, once, off the event loop: parts, charsets,
HTML, quotes. Whatever a mail holds, it takes time in proportion to its size, and there
is always a payload: one with a `fault` says in people's words why it was not read.
"""

from collections.abc import Mapping
from typing import TypeGuard

from channels.email.bodies import read_attachments, read_body
from channels.email.headers import fault_of, read_headers
from channels.email.mime import Part, TooComplex, first_headers, open_mail
from channels.email.quotes import strip
from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidJson

MAIL_BYTES = 25 * 1024 * 1024
CUT_CHARS = 4_000

_MESSAGE_KEYS = frozenset({"command", "args", "id"})
_MOST_LEVELS = 20

Payload = dict[str, Json]

_NOTHING: Mapping[str, Json] = {
    "text": "",
    "below": "",
    "cut": "",
    "is_whole": True,
    "body_json": None,
    "fault": "",
}


def read(raw: bytes, *, address: str) -> Payload:
    """Read a mail that was sent to `address`, which may have been given a plus part.

    Shape:  `text` is what its sender wrote anew, `below` what may be new below a quote,
            `cut` the beginning of what is quoted, signed or boilerplate; `body_json` is there when all of the body is
            a command in JSON. `is_whole` is False when the end of the text is missing.
    """
    if len(raw) > MAIL_BYTES:
        return _unread(raw, address, fault=f"it has more than {MAIL_BYTES >> 20} MiB")
    try:
        mail = open_mail(raw)
        if fault := fault_of(mail.headers):
            return _unread(raw, address, fault=fault)
        return {**read_headers(mail.headers, address=address), **_content(mail)}
    except TooComplex as fault:
        return _unread(raw, address, fault=str(fault))


def _unread(raw: bytes, address: str, *, fault: str) -> Payload:
    """Say what is known of a mail that is not read further."""
    headers = read_headers(first_headers(raw), address=address)
    return {**headers, **_NOTHING, "attachments": [], "fault": fault}


def _content(mail: Part) -> Payload:
    """Read what a mail says."""
    body = read_body(mail)
    content: Payload = {
        **_NOTHING,
        "is_whole": body.is_whole,
        "attachments": read_attachments(mail, body),
    }
    message = _message(body.raw) if body.is_whole else None
    if message is not None:
        return {**content, "body_json": message}
    stripped = strip(body.text)
    return {
        **content,
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
