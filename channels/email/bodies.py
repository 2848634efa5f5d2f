"""What a mail says, out of all of its parts, and the files that came with it as facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from channels.email.charsets import decode
from channels.email.flowed import unflow
from channels.email.headers import decode_words
from channels.email.markup import HTML_CHARS, to_text
from channels.email.mime import Part, children, leaves
from core.kernel.jsons import Json
from core.kernel.sanitise import sanitise_line

MOST_ATTACHMENTS = 20
TEXT_CHARS = 65_536

_READ_BYTES = 4 * TEXT_CHARS
_NAME_CHARS = 120
_PLAIN, _HTML = "text/plain", "text/html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What there is to read; `raw` is the text before any line of it was touched.

    Shape:  `is_whole` is False when the end is missing because the text is too long.
    """

    text: str = ""
    raw: str = ""
    is_whole: bool = True
    part: Part | None = None


def read_body(mail: Part) -> Body:
    """Find the part that its sender wrote: plain text, or else HTML as text.

    Shape:  of alternatives the plain one, unless it is blank; of parts that follow
            each other the first that says something. Files are never read.
    Raises: TooComplex when parts are nested too deeply or are too many.
    """
    return next(_bodies(mail), Body())


def read_attachments(mail: Part, body: Body) -> list[Json]:
    """List the files of a mail: name, type, size and hash.

    Raises: TooComplex when parts are nested too deeply or are too many.
    """
    found: list[Json] = []
    for part in leaves(mail):
        is_text = part.media_type in (_PLAIN, _HTML) and not part.is_attached
        is_body = body.part is not None and part.start == body.part.start
        if not is_text and not is_body and len(found) < MOST_ATTACHMENTS:
            found.append(_facts(part))
    return found


def _bodies(part: Part) -> Iterator[Body]:
    if part.media_type == "multipart/alternative":
        found = [body for child in children(part) for body in _bodies(child)]
        found.sort(key=_is_html)
        yield from found[:1]
    elif part.is_multipart:
        for child in children(part):
            yield from _bodies(child)
    elif not part.is_attached and (body := _read(part)).text.strip():
        yield body


def _is_html(body: Body) -> bool:
    return body.part is not None and body.part.media_type == _HTML


def _read(part: Part) -> Body:
    match part.media_type:
        case "text/plain":
            raw, is_whole = _text(part, TEXT_CHARS)
            return Body(
                text=_unfolded(part, raw), raw=raw, is_whole=is_whole, part=part
            )
        case "text/html":
            html, is_whole = _text(part, HTML_CHARS)
            text = to_text(html)
            return Body(
                text=text[:TEXT_CHARS],
                raw=text,
                is_whole=is_whole and len(text) <= TEXT_CHARS,
                part=part,
            )
        case "application/json" if part.depth == 0:
            raw, is_whole = _text(part, TEXT_CHARS)
            return Body(text=raw, raw=raw, is_whole=is_whole, part=part)
    return Body(part=part)


def _text(part: Part, limit: int) -> tuple[str, bool]:
    """Decode the beginning of a part; tell whether that is all of it."""
    text = decode(part.content(_READ_BYTES), part.parameter("charset"))
    text = text.replace("\r\n", "\n")
    # A carriage return alone begins no line: one inside a quoted line would end it.
    text = text.replace("\r", " " if "\n" in text else "\n")
    is_whole = len(text) <= limit and part.end - part.start <= _READ_BYTES
    return text[:limit], is_whole


def _unfolded(part: Part, text: str) -> str:
    if part.parameter("format").lower() != "flowed":
        return text
    return unflow(text, delsp=part.parameter("delsp").lower() == "yes")


def _facts(part: Part) -> dict[str, Json]:
    digest, size_bytes = sha256(), 0
    for block in part.blocks():
        digest.update(block)
        size_bytes += len(block)
    written = part.parameter("filename", of="disposition") or part.parameter("name")
    name = decode_words(written[:1_000]).replace("\\", "/").rpartition("/")[2]
    return {
        "name": sanitise_line(name, limit=_NAME_CHARS),
        "type": part.media_type,
        "size_bytes": size_bytes,
        "sha256": digest.hexdigest(),
    }
