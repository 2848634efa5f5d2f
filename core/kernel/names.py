"""The names that people give to things beside their ids."""

import re
from collections.abc import Container

from core.kernel.ids import NUMBERED
from core.kernel.problems import InvalidArgument

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def require_name(
    kind: str, text: str, *, such_as: str, taken: Container[str] = ()
) -> str:
    """Return a name that can stand wherever an id can, and is never taken for one.

    Shape:  `kind` is what is named, with its article; `such_as` a good name for it.
    Raises: InvalidArgument.
    """
    if not _NAME.fullmatch(text):
        raise _refused(
            kind, text, fix=f"use 1 to 40 of a-z, 0-9 and -, such as {such_as}"
        )
    if NUMBERED.fullmatch(text.upper()):
        why = f": it could be taken for the id {text.upper()}"
        raise _refused(kind, text, why, fix=f"put a word before it: my-{text}")
    if text in taken:
        why = ": it already means something else there"
        raise _refused(kind, text, why, fix=f"use another, such as {such_as}")
    return text


def _refused(kind: str, text: str, why: str = "", *, fix: str) -> InvalidArgument:
    said = f"{text[:80]!r} is not a name for {kind}{why}"
    return InvalidArgument(said, fix=[fix], argument="name")
