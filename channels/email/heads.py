"""The headers of a mail as they stand, and the one sender that they name; pure.

Mail programs disagree about broken headers, and forgers live on that: whatever could
be read in two ways names nobody here.
"""

import re
import unicodedata
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header, make_header

HEAD_LIMIT_BYTES = 262_144
ADDRESS_LIMIT = 254

_GAP = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\r?\n")
_FIELD = re.compile(rb"([!-9;-~]+):")
_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}",
    re.ASCII,
)
_NAMED = re.compile(r"([^<>]*)<([^<>\s]+)>")
_BARE = re.compile(r"[^<>\s,;:\"()\[\]]+")
_ONCE = ("from", "sender", "subject", "date", "message-id", "content-type")


class Unclear(Exception):
    """The headers do not name one sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The header fields of a mail from the top; names in lower case, values unfolded."""

    fields: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """List the values of a field, the topmost first."""
        return [value for known, value in self.fields if known == name]


def parse_head(raw: bytes) -> Head:
    """Cut the headers of a mail into fields.

    Raises: Unclear for what mail programs read in different ways.
    """
    head = _GAP.split(raw[:HEAD_LIMIT_BYTES], maxsplit=1)[0]
    if b"\0" in head or b"\r" in head.replace(b"\r\n", b""):
        raise Unclear("the headers hold characters that end no line")
    fields: list[tuple[str, str]] = []
    for line in _LINE_END.split(head):
        text = line.decode("utf-8", "replace")
        if line[:1] in (b" ", b"\t"):
            if not fields:
                raise Unclear("the headers begin in the middle")
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {text.strip()}")
        elif found := _FIELD.match(line):
            value = text.partition(":")[2].strip()
            fields.append((found[1].decode("ascii").lower(), value))
        elif line and not line.startswith(b"From "):
            raise Unclear("a line of the headers is none")
    return Head(fields=tuple(fields))


def sender_of(head: Head) -> str:
    """Read the one address that a mail says it is from, in lower case.

    Raises: Unclear when there are several, when one poses as another, or none.
    """
    for name in _ONCE:
        if len(head.values(name)) > 1:
            raise Unclear(f"the mail has more than one {name} header")
    if not head.values("from"):
        raise Unclear("the mail has no From header")
    address = _parse_address(head.values("from")[0])
    for sender in head.values("sender"):
        if domain_of(_parse_address(sender)) != domain_of(address):
            raise Unclear("the mail was sent by somebody of another domain")
    return address


def domain_of(address: str) -> str:
    """Return the part of an address behind the @, in lower case."""
    return address.rpartition("@")[2].lower()


def is_aligned(domain: str, of: str) -> bool:
    """Tell whether a domain may speak for another: the same, or one above it."""
    own, other = domain.lower().rstrip("."), of.lower().rstrip(".")
    return "." in own and (other == own or other.endswith(f".{own}"))


def _parse_address(value: str) -> str:
    named, bare = _NAMED.fullmatch(value.strip()), _BARE.fullmatch(value.strip())
    if not named and not bare:
        raise Unclear("the mail does not name one sender")
    address = named[2] if named else value.strip()
    # A sign of another alphabet, even one whose lower case is ASCII, is no letter here.
    if not address.isascii() or len(address) > ADDRESS_LIMIT:
        raise Unclear("the sender's address has letters of another alphabet")
    if not _ADDRESS.fullmatch(address.lower()):
        raise Unclear("the sender's address is none")
    if named and _poses(named[1], address.lower()):
        raise Unclear("the sender's name poses as another address")
    return address.lower()


def _poses(name: str, address: str) -> bool:
    """Tell whether a display name shows an address that is not the sender's."""
    try:
        shown = str(make_header(decode_header(name)))
    except (HeaderParseError, LookupError, ValueError):
        return True
    folded = unicodedata.normalize("NFKC", shown).lower()
    return "@" in folded.replace(address, "")
