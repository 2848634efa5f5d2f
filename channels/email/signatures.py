"""Our own look at DKIM signatures, stricter than the RFC where the RFC lets cheats in."""

from collections.abc import Callable, Mapping

from dkim import (  # type: ignore[import-untyped]  # it has no types
    DKIM,
    DKIMException,
    DnsTimeoutError,
)
from dkim.util import (  # type: ignore[import-untyped]  # the same
    InvalidTagValueList,
    parse_tag_value,
)
from dns.exception import DNSException, Timeout
from dns.resolver import NXDOMAIN, NoAnswer, NoNameservers, resolve

from channels.email.heads import is_aligned

LOOK_UP_SECONDS = 3.0
MOST_SIGNATURES = 2
LEAST_KEY_BITS = 1_024

# A name such as `s1._domainkey.example.org` to the text that stands there, if any.
LookUp = Callable[[str], bytes | None]

_MUST_SIGN = frozenset({b"from", b"subject", b"date"})
_ALGORITHMS = frozenset({b"rsa-sha256", b"ed25519-sha256"})
# What dkimpy raises for a signature or key that is none, by name or by accident.
_BROKEN = (
    DKIMException,
    InvalidTagValueList,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
)


class KeyUnreachable(Exception):
    """The name servers of a signer did not answer in time."""


def look_up(name: str) -> bytes | None:
    """Ask the DNS for a text, for at most 3 s.

    Raises: KeyUnreachable when nobody answers, which is not the sender's fault.
    """
    try:
        found = resolve(name, "TXT", lifetime=LOOK_UP_SECONDS, search=False)
    except (NXDOMAIN, NoAnswer):
        return None
    except (Timeout, NoNameservers) as fault:
        raise KeyUnreachable(name) from fault
    except DNSException:
        return None
    return b"".join(found[0].strings)


def is_signed(raw: bytes, *, domain: str, look_up: LookUp = look_up) -> bool:
    """Tell whether a domain, or one above it, vouches for the whole of a mail.

    Shape:  blocks for as long as the DNS takes, so it is run in a thread. Not counted:
            a signature over a part of the body (`l=`), one that leaves From, Subject or
            Date open, an algorithm without strength.
    Raises: KeyUnreachable.
    """
    try:
        mail = DKIM(raw, minkey=LEAST_KEY_BITS)
        tags = [_tags(value) for name, value in mail.headers if _is_signature(name)]
    except _BROKEN:
        return False
    usable = [
        index for index, each in enumerate(tags) if each and _is_usable(each, domain)
    ]
    return any(_is_valid(mail, index, look_up) for index in usable[:MOST_SIGNATURES])


def _is_signature(name: bytes) -> bool:
    return name.lower() == b"dkim-signature"


def _tags(value: bytes) -> Mapping[bytes, bytes]:
    """Read the tags of a signature; none when they cannot be read."""
    try:
        tags: Mapping[bytes, bytes] = parse_tag_value(value)
    except _BROKEN:
        return {}
    return tags


def _is_usable(tags: Mapping[bytes, bytes], domain: str) -> bool:
    signed = {name.strip().lower() for name in tags.get(b"h", b"").split(b":")}
    signer = tags.get(b"d", b"").decode("ascii", "replace").lower()
    return (
        b"l" not in tags
        and tags.get(b"a", b"").strip().lower() in _ALGORITHMS
        and signed >= _MUST_SIGN
        and is_aligned(signer, of=domain)
    )


def _is_valid(mail: DKIM, index: int, look_up: LookUp) -> bool:
    def text_of(name: bytes, **_: object) -> bytes | None:
        return look_up(name.decode("ascii", "replace"))

    try:
        return bool(mail.verify(index, dnsfunc=text_of))
    except DnsTimeoutError as fault:
        raise KeyUnreachable(str(fault)) from fault
    except _BROKEN:
        return False
