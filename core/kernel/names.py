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
    is_name = _NAME.fullmatch(text) and text not in taken
    if not is_name or NUMBERED.fullmatch(text.upper()):
        raise InvalidArgument(
            f"{text[:80]!r} is not a name for {kind}",
            fix=[f"use 1 to 40 of a-z, 0-9 and -, such as {such_as}"],
            argument="name",
        )
    return text
