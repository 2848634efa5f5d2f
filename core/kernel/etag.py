"""Strong entity tags, and the comparisons of RFC 9110 over them."""

import re
from hashlib import sha256

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')


def digest(body: bytes) -> str:
    """Return the sha256 of some bytes, in hex."""
    return sha256(body).hexdigest()


def entity_tag(version: int, hexdigest: str) -> str:
    """Join a monotonic version and a digest: `7-9f86d0…` (unquoted)."""
    return f"{version}-{hexdigest}"


def version_of(tag: str) -> int | None:
    """Read the version out of one of our tags; None if it is not ours."""
    head, _, _ = unquote(tag).partition("-")
    return int(head) if head.isascii() and head.isdigit() else None


def unquote(tag: str) -> str:
    """Strip the quotes of one strong tag, if it has them."""
    text = tag.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def parse_tags(header: str) -> list[tuple[bool, str]]:
    """Read an If-Match or If-None-Match list as (is_weak, tag) pairs.

    A bare token is taken as one strong tag, because people type them by hand.
    """
    if '"' not in header:
        return [(False, part.strip()) for part in header.split(",") if part.strip()]
    return [(bool(weak), tag) for weak, tag in _TAG.findall(header)]


def is_match(header: str, current: str) -> bool:
    """Compare strongly, as If-Match demands; `*` matches whatever exists."""
    if header.strip() == "*":
        return True
    return any(not weak and tag == current for weak, tag in parse_tags(header))


def is_none_match(header: str, current: str) -> bool:
    """Compare weakly, as If-None-Match demands: True when nothing in it matches."""
    if header.strip() == "*":
        return False
    return all(tag != current for _, tag in parse_tags(header))
