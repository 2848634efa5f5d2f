"""What every stored text must be: encodable, without NUL, and not endless."""

import re

from core.kernel.problems import InvalidArgument

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def require_text(name: str, text: str, *, limit: int, least: int = 0) -> str:
    """Return the text when both databases can keep it as it is.

    Units:  `limit` and `least` count characters; blank ones do not satisfy `least`.
    Raises: InvalidArgument naming the field.
    """
    if len(text) > limit:
        raise InvalidArgument(
            f"{name} has {len(text)} characters",
            fix=[f"use at most {limit}"],
            field=name,
        )
    if len(text.strip()) < least:
        raise InvalidArgument(
            f"{name} is empty", fix=["give it some visible text"], field=name
        )
    if not text.isprintable() and _UNSTORABLE.search(text):
        raise InvalidArgument(
            f"{name} holds a character that cannot be stored",
            fix=["leave out NUL and lone surrogates"],
            field=name,
        )
    return text


def require_line(name: str, text: str, *, limit: int, least: int = 1) -> str:
    """Return the text when it also stands on one line.

    Raises: InvalidArgument naming the field.
    """
    if not text.isprintable() and text.splitlines() not in ([], [text]):
        raise InvalidArgument(
            f"{name} has more than one line", fix=["write it on one line"], field=name
        )
    return require_text(name, text, limit=limit, least=least)
