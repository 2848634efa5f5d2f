"""The event stream format, as a reader sees it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Message(NamedTuple):
    """One event of a stream; fields it did not have are "" and 0."""

    data: str = ""
    id: str = ""
    event: str = ""
    retry_seconds: float = 0.0


def parse_messages(lines: Iterable[bytes]) -> Iterator[Message]:
    """Read messages from the lines of a stream; one that is cut off at its end is none.

    Shape:  a message without data still tells its id and its retry time.
    """
    fields: dict[str, list[str]] = {}
    for raw in lines:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            if fields:
                yield _message(fields)
            fields = {}
        elif not line.startswith(":"):
            name, _, text = line.partition(":")
            fields.setdefault(name, []).append(text.removeprefix(" "))


def _message(fields: dict[str, list[str]]) -> Message:
    retry = fields.get("retry", [""])[-1]
    return Message(
        data="\n".join(fields.get("data", ())),
        id=fields.get("id", [""])[-1],
        event=fields.get("event", [""])[-1],
        retry_seconds=int(retry) / 1000 if retry.isdecimal() else 0.0,
    )
