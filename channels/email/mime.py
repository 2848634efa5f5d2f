"""The parts of a mail, found without reading more of it than somebody asks for.

The mail stays one run of bytes: a part is where it begins and ends, and only its own
headers are read. So a mail costs what is looked at, whatever else is in it, and no mail
can nest or multiply its parts without end.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from string import ascii_letters, digits

from channels.email.charsets import decode

MOST_DEPTH = 10
MOST_PARTS = 100
MOST_HEADERS = 1_000
HEADER_BYTES = 262_144

_FIRST_HEADER_BYTES = 65_536
_PART_HEADER_BYTES = 16_384
_PARAMETER_CHARS = 2_000  # the standard library splits parameters in quadratic time
_BOUNDARY_CHARS = 200
_WINDOW_BYTES = 1_048_576
_BLANK_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_BASE64 = f"{ascii_letters}{digits}+/=".encode()
_NOT_BASE64 = bytes(each for each in range(256) if each not in _BASE64)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_ENCODINGS = frozenset({"", "7bit", "8bit", "binary", "base64", "quoted-printable"})
_PARSER = BytesHeaderParser(policy=compat32)


class TooComplex(Exception):
    """A mail has more of something than any mail needs; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a mail, the mail itself being the first.

    Shape:  the body is `raw[start:end]`; `raw` is the whole mail, never a copy.
    """

    raw: bytes
    start: int
    end: int
    headers: Message
    media_type: str
    depth: int = 0

    @property
    def is_multipart(self) -> bool:
        """Whether it only holds other parts."""
        return self.media_type.startswith("multipart/")

    @property
    def is_attached(self) -> bool:
        """Whether it came as a file, and not as something to read in place."""
        named = self.parameter("name") or self.parameter("filename", of="disposition")
        return self.disposition == "attachment" or bool(named)

    @property
    def disposition(self) -> str:
        """How it wants to be shown: `attachment`, `inline`, or "" if it does not say."""
        value = _field(self.headers, "content-disposition")
        return value.partition(";")[0].strip().lower()

    def parameter(self, name: str, *, of: str = "type") -> str:
        """Read a parameter of Content-Type or Content-Disposition; "" if it has none."""
        header = f"content-{of}"
        if len(_field(self.headers, header)) > _PARAMETER_CHARS:
            return ""
        found = self.headers.get_param(name, "", header=header)
        if isinstance(found, tuple):  # RFC 2231: charset, language, text
            charset, _, text = found
            return decode(text.encode("latin-1", "replace"), charset or "utf-8")
        return str(found).encode("utf-8", "surrogateescape").decode("utf-8", "replace")

    def content(self, limit: int | None = None) -> bytes:
        """Undo the transfer encoding of the body, or of its first `limit` bytes."""
        return b"".join(self.blocks(limit))

    def blocks(self, limit: int | None = None) -> Iterator[bytes]:
        """Yield the content piece by piece, so that a large file is never here whole."""
        end = self.end if limit is None else min(self.end, self.start + limit)
        match _field(self.headers, "content-transfer-encoding").strip().lower():
            case "quoted-printable":
                yield binascii.a2b_qp(self.raw[self.start : end])
            case "base64":
                yield from _from_base64(self._windows(end))
            case _:
                yield from self._windows(end)

    def _windows(self, end: int) -> Iterator[bytes]:
        for start in range(self.start, end, _WINDOW_BYTES):
            yield self.raw[start : min(start + _WINDOW_BYTES, end)]


def open_mail(raw: bytes) -> Part:
    """Read the headers of a mail.

    Raises: TooComplex when there are too many of them.
    """
    block = _header_block(raw, 0, min(len(raw), HEADER_BYTES))
    if block.count(b"\n") > 4 * MOST_HEADERS:
        raise TooComplex(f"it has more than {MOST_HEADERS} headers")
    if len(block) >= HEADER_BYTES:
        raise TooComplex(f"its headers have more than {HEADER_BYTES // 1024} KiB")
    part = _part(raw, block, 0, len(raw), depth=0)
    if len(part.headers) > MOST_HEADERS:
        raise TooComplex(f"it has more than {MOST_HEADERS} headers")
    return part


def first_headers(raw: bytes) -> Message:
    """Read what headers a mail begins with, however many follow: enough to answer it."""
    return _PARSER.parsebytes(_header_block(raw, 0, min(len(raw), _FIRST_HEADER_BYTES)))


def children(part: Part) -> Iterator[Part]:
    """Yield the parts that a multipart holds, in their order.

    Raises: TooComplex when they are nested too deeply or are too many.
    """
    boundary = part.parameter("boundary").rstrip().encode("utf-8", "replace")
    if not part.is_multipart or not 0 < len(boundary) <= _BOUNDARY_CHARS:
        return
    if part.depth >= MOST_DEPTH:
        raise TooComplex(f"its parts are nested more than {MOST_DEPTH} deep")
    default = "message/rfc822" if part.media_type == "multipart/digest" else ""
    for count, (start, end) in enumerate(_between(part, boundary)):
        if count >= MOST_PARTS:
            raise TooComplex(f"it has more than {MOST_PARTS} parts")
        block = _header_block(part.raw, start, min(end, start + _PART_HEADER_BYTES))
        yield _part(part.raw, block, start, end, depth=part.depth + 1, default=default)


def leaves(part: Part) -> Iterator[Part]:
    """Yield every part that holds no others, in the order of the mail.

    Raises: TooComplex when they are nested too deeply or are too many.
    """
    for count, leaf in enumerate(_leaves(part)):
        if count >= MOST_PARTS:
            raise TooComplex(f"it has more than {MOST_PARTS} parts")
        yield leaf


def _leaves(part: Part) -> Iterator[Part]:
    if not part.is_multipart:
        yield part
    for child in children(part):
        yield from _leaves(child)


def _part(
    raw: bytes, block: bytes, start: int, end: int, *, depth: int, default: str = ""
) -> Part:
    headers = _PARSER.parsebytes(block)
    written = _field(headers, "content-type").partition(";")[0].strip().lower()
    if not written:
        written = default or "text/plain"
    encoding = _field(headers, "content-transfer-encoding").strip().lower()
    is_known = _TYPE.fullmatch(written) and encoding in _ENCODINGS
    return Part(
        raw=raw,
        start=min(start + len(block), end),
        end=end,
        headers=headers,
        media_type=written if is_known else "application/octet-stream",
        depth=depth,
    )


def _header_block(raw: bytes, start: int, end: int) -> bytes:
    """Return the headers that begin at `start`, with the blank line that ends them."""
    block = raw[start:end]
    found = _BLANK_LINE.search(block)
    return block[: found.end()] if found else block


def _between(part: Part, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part between the boundary lines begins and ends."""
    begin = -1
    for line_start, line_end, is_last in _boundary_lines(part, b"--" + boundary):
        if begin >= 0:
            yield begin, max(begin, line_start)
        begin = line_end
        if is_last:
            return
    if begin >= 0:
        yield begin, part.end


def _boundary_lines(part: Part, mark: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield the lines that are the mark: where each begins and ends, and if it closes."""
    raw, at = part.raw, part.start
    while (at := raw.find(mark, at, part.end)) >= 0:
        after = at + len(mark)
        is_first = at == part.start
        if not is_first and raw[at - 1 : at] != b"\n":
            at = after
            continue
        line_end = raw.find(b"\n", after, part.end) + 1 or part.end
        rest = raw[after : min(line_end, after + 100)].strip()
        if rest in (b"", b"--"):
            # The line break before a boundary belongs to it.
            begin = at if is_first else at - 1
            begin -= raw[max(begin - 1, part.start) : begin] == b"\r"
            yield begin, line_end, rest == b"--"
        at = line_end


def _from_base64(windows: Iterator[bytes]) -> Iterator[bytes]:
    """Decode base64 as mail programs do: what does not belong is passed over."""
    letters = b""
    for window in windows:
        letters += window.translate(None, _NOT_BASE64)
        letters, padding, _ = letters.partition(b"=")
        if padding:
            break
        whole = len(letters) - len(letters) % 4
        yield binascii.a2b_base64(letters[:whole])
        letters = letters[whole:]
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    yield binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def _field(headers: Message, name: str) -> str:
    """Read a header as text; what is not ASCII in it stays as escapes."""
    for key, value in headers.raw_items():
        if key.lower() == name:
            return str(value)
    return ""
