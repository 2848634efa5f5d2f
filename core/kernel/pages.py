"""Lists in pages: a cursor is opaque, and stable when rows are inserted."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.kernel.problems import InvalidQuery

Item = TypeVar("Item")

PAGE_LIMIT = 100
_POSITION = re.compile(rb"after:(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items, and the cursor of what follows; None when nothing does."""

    items: Sequence[Item]
    next: str | None = None


def render_cursor(position: int) -> str:
    """Hide the last position that was shown in an opaque word."""
    return urlsafe_b64encode(b"after:%d" % position).rstrip(b"=").decode()


def parse_cursor(cursor: str) -> int:
    """Read a position back.

    Raises: InvalidQuery when the word is no cursor of ours.
    """
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except (Error, ValueError):
        raw = b""
    found = _POSITION.fullmatch(raw)
    if found is None or render_cursor(int(found[1])) != cursor:
        raise InvalidQuery(
            f"{cursor[:40]!r} is not a cursor",
            fix=["leave the cursor out to start over"],
        )
    return int(found[1])


def page_size(limit: int) -> int:
    """Check how many items were asked for.

    Raises: InvalidQuery when it is not 1 to 100.
    """
    if not 1 <= limit <= PAGE_LIMIT:
        raise InvalidQuery(
            f"a limit of {limit} is not possible", fix=[f"use 1 to {PAGE_LIMIT}"]
        )
    return limit
