"""Who wrote a mail, to whom, about what, and in answer to what; all of it bounded."""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime

from channels.email.charsets import decode
from core.kernel.jsons import Json
from core.kernel.sanitise import sanitise_line

MOST_REFERENCES = 50
MOST_RECIPIENTS = 50

_MOST_LOOKED_AT = 500  # recipients, of which fewer are kept
_TEXT_CHARS = 500
_FIELD_CHARS = 4_000
_LIST_CHARS = 16_000
_MARK_CHARS = 200
_MOST_MARKS = 40

# Of these a mail has one at most; with two of them, what is checked and what is read
# could be two different things.
_SINGLE = (
    "from",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "content-type",
    "content-transfer-encoding",
)
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")
_MARKS = frozenset(
    {
        "auto-submitted",
        "content-type",
        "feedback-id",
        "precedence",
        "return-path",
        "x-auto-response-suppress",
        "x-autoreply",
        "x-autorespond",
        "x-autoresponder",
        "x-failed-recipients",
        "x-loop",
        "x-ms-exchange-inbox-rules-loop",
    }
)
_ADDRESS = re.compile(
    r"[^\s@<>()\[\],;:\\\"\x00-\x20\x7f\ufffd]{1,64}"
    r"@[^\s@<>()\[\],;:\\\"\x00-\x20\x7f\ufffd]{1,190}"
)
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x20\x7f]{1,250}>")
_FROM = re.compile(
    r" ?(?:(?P<name>[^<>]*)< ?(?P<angle>[^<>\s]+) ?>|(?P<bare>[^\s<>()]+))"
    r"(?: ?\([^()]*\))? ?"
)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.){0,250}+"')
_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")


def read_headers(headers: Message, *, address: str) -> dict[str, Json]:
    """Read what the payload of a mail says about it, all but its content."""
    sender, name = _sender(headers)
    recipients = list(_recipients(headers))
    own = parse_address(address)
    tags = (_tag(each, own) for each in recipients)
    shown: list[Json] = [*recipients[:MOST_RECIPIENTS]]
    return {
        "message_id": _message_id(headers, "message-id"),
        "from": sender,
        "from_name": name,
        "to": shown,
        "subject": text_of(headers, "subject"),
        "date": _date(headers),
        "in_reply_to": _message_id(headers, "in-reply-to"),
        "references": _references(headers),
        "tag": next(filter(None, tags), ""),
        "marks": _marks(headers),
    }


def fault_of(headers: Message) -> str:
    """Say why nobody can tell what these headers mean; "" when they are fine."""
    names = [name.lower() for name in headers.keys()]  # noqa: SIM118 - of a Message
    for name in _SINGLE:
        if names.count(name) > 1:
            return f"it has more than one {name.title()} header"
    if not _sender(headers)[0]:
        return "it does not say which one address it is from"
    return ""


def parse_address(text: str) -> str:
    """Read one bare address, its domain in lower case; "" when it is none."""
    if not _ADDRESS.fullmatch(text):
        return ""
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"


def text_of(headers: Message, name: str) -> str:
    """Read a header as people see it: decoded, on one line, and not without end."""
    return _shown(_raw(headers, name))


def decode_words(text: str) -> str:
    """Undo the encoded words of RFC 2047."""
    return _WORD.sub(_decoded_word, _BETWEEN_WORDS.sub("", text))


def _shown(raw: str) -> str:
    return sanitise_line(decode_words(raw[:_FIELD_CHARS]), limit=_TEXT_CHARS)


def _decoded_word(found: re.Match[str]) -> str:
    charset, encoding, text = found.groups()
    raw = text.encode("utf-8")
    if encoding in "bB":
        try:
            raw = base64.b64decode(raw + b"=" * (-len(raw) % 4))
        except (binascii.Error, ValueError):
            return found[0]
    else:
        raw = binascii.a2b_qp(raw, header=True)
    return decode(raw, charset.partition("*")[0])


def _raw(headers: Message, name: str) -> str:
    """Read the first header of a name, its 8-bit characters taken as UTF-8."""
    return next(_all(headers, name), "")


def _all(headers: Message, *names: str) -> Iterator[str]:
    for key, value in headers.raw_items():
        if key.lower() in names:
            yield _text(str(value))


def _text(value: str) -> str:
    raw = value[:_LIST_CHARS].encode("utf-8", "surrogateescape")
    return " ".join(decode(raw, "utf-8").split())


def _sender(headers: Message) -> tuple[str, str]:
    """Read who wrote it, by address and name; both "" unless it is exactly one.

    Nothing is repaired here: what one program takes for the address and another for a
    name or a comment would let somebody write in another's name.
    """
    raw = _raw(headers, "from")
    found = _FROM.fullmatch(raw) if len(raw) <= _FIELD_CHARS else None
    if found is None:
        return "", ""
    name = _QUOTED.sub("", found["name"] or "")
    address = found["angle"] or found["bare"]
    is_list = any(mark in name for mark in ",;:@") and name.strip() != address
    bare = "" if is_list else parse_address(address)
    written = (found["name"] or "").strip().strip('"')
    return bare, _shown(written) if bare else ""


def _recipients(headers: Message) -> Iterator[str]:
    """Yield the addresses a mail went to, each once.

    They are only looked for, since nothing depends on their names: the parser of the
    standard library follows groups of addresses by recursion, without end.
    """
    seen: set[str] = set()
    for value in _all(headers, *_RECIPIENTS):
        for address in _ADDRESS.findall(_QUOTED.sub("", value)):
            bare = parse_address(address)
            if bare not in seen:
                seen.add(bare)
                yield bare
            if len(seen) >= _MOST_LOOKED_AT:
                return


def _tag(recipient: str, own: str) -> str:
    """Return what stands after the plus in a recipient that is ours otherwise."""
    local, _, domain = recipient.rpartition("@")
    own_local, _, own_domain = own.rpartition("@")
    name, plus, tag = local[: len(own_local)], local[len(own_local) :][:1], ""
    if plus == "+" and domain == own_domain and name.lower() == own_local.lower():
        tag = local[len(own_local) + 1 :]
    return tag


def _message_id(headers: Message, name: str) -> str:
    found = _MESSAGE_ID.search(_raw(headers, name)[:_FIELD_CHARS])
    return found[0] if found else ""


def _references(headers: Message) -> list[Json]:
    """Read the chain of mails before this one: the first, and the newest of the rest."""
    chain = list(
        dict.fromkeys(
            each
            for value in _all(headers, "references")
            for each in _MESSAGE_ID.findall(value)
        )
    )
    if len(chain) > MOST_REFERENCES:
        chain = [chain[0], *chain[1 - MOST_REFERENCES :]]
    return [*chain]


def _date(headers: Message) -> str:
    try:
        written = parsedate_to_datetime(_raw(headers, "date")[:_MARK_CHARS])
        aware = written if written.tzinfo else written.replace(tzinfo=UTC)
        return aware.astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return ""


def _marks(headers: Message) -> dict[str, Json]:
    """Read what may say that no person wrote this, or that nobody wants an answer."""
    marks: dict[str, Json] = {}
    for key, value in headers.raw_items():
        name = key.lower()[:_MARK_CHARS]
        is_mark = name in _MARKS or name.startswith(("list-", "x-auto"))
        if is_mark and name not in marks and len(marks) < _MOST_MARKS:
            marks[name] = _text(str(value))[:_MARK_CHARS]
    return marks
