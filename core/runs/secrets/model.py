"""What a secret of runs is called, and what can be one; pure."""

import re
from dataclasses import dataclass
from datetime import datetime

from core.kernel.problems import InvalidArgument, NotFound

MOST_SECRETS = 200
LEAST_CHARS = 8
"""A shorter one could not be taken out of what steps print: it would be everywhere."""
MOST_BYTES = 16_384

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSecret:
    """A stored secret; what it is, is told to the worker of a run that names it alone."""

    name: str
    author: str
    created_at: datetime
    changed_at: datetime


def parse_name(text: str) -> str:
    """Read the name of a secret.

    Raises: InvalidArgument.
    """
    if _NAME.fullmatch(text):
        return text
    raise InvalidArgument(
        f"{text[:80]!r} is not a name for a secret",
        fix=["use letters, digits, _, . and -, such as DEPLOY_KEY"],
        argument="name",
    )


def parse_value(text: str) -> str:
    """Read a secret; what is wrong is told without it.

    Raises: InvalidArgument.
    """
    size = len(text.encode())
    if len(text.strip()) >= LEAST_CHARS and size <= MOST_BYTES and "\0" not in text:
        return text
    raise InvalidArgument(
        "a secret has from 8 characters to 16 KiB, and no NUL",
        fix=["use a longer secret; a shorter one cannot be hidden in logs"],
        argument="value",
    )


def unknown(name: str) -> NotFound:
    """Say that there is no such secret."""
    return NotFound(f"the secret {name[:80]}", fix=["secret list"])
