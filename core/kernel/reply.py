"""What goes back: one summary, eight kinds of block, and data equal on every door."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from core.kernel.jsons import Json

SUMMARY_LIMIT = 150


class ReplyStatus(StrEnum):
    """How the command ended, or that it goes on."""

    OK = "ok"
    ERROR = "error"
    RUNNING = "running"
    NEEDS_CONFIRMATION = "needs_confirmation"


GOES_ON = frozenset({ReplyStatus.OK, ReplyStatus.RUNNING})
"""After which further lines are run: what has begun is no failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Prose in a CommonMark subset."""

    t: Literal["text"] = "text"
    md: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Names and values of one object."""

    t: Literal["fields"] = "fields"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under columns; `ids` makes a row addressable as `#n`."""

    t: Literal["table"] = "table"
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    total: int | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """Text to be shown as it is."""

    t: Literal["code"] = "code"
    text: str
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far something is: `done` of `total` steps."""

    t: Literal["progress"] = "progress"
    done: int
    total: int
    steps: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A place to look further."""

    t: Literal["link"] = "link"
    label: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBlock:
    """What went wrong, in people's words, with lines to try."""

    t: Literal["error"] = "error"
    title: str
    detail: str
    fix: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A button; `command` is the line that typing would send."""

    label: str
    command: str
    style: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actions:
    """Buttons."""

    t: Literal["actions"] = "actions"
    items: Sequence[Action]


Block = Text | Fields | Table | Code | Progress | Link | ErrorBlock | Actions


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """The line that takes the effect back, and until when (ISO 8601)."""

    command: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """The problem of RFC 9457 inside a reply."""

    type: str
    code: str
    title: str
    detail: str
    status: int
    fix: Sequence[str] = ()
    extra: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to one command, before any channel renders it.

    A handler fills summary, blocks, data and undo; the pipeline adds the rest, and
    completes a `url` and links that are only paths.
    `data` must not depend on the channel. `summary` has at most 150 characters.
    """

    id: str = ""
    request_id: str = ""
    status: ReplyStatus = ReplyStatus.OK
    command: str = ""
    summary: str
    url: str = ""
    actor: str = ""
    channel: str = ""
    replayed: bool = False
    blocks: Sequence[Block] = ()
    data: Mapping[str, Json] = field(default_factory=dict)
    undo: Undo | None = None
    error: ErrorInfo | None = None


_BLOCKS: Mapping[str, type[Block]] = {
    "text": Text,
    "fields": Fields,
    "table": Table,
    "code": Code,
    "progress": Progress,
    "link": Link,
    "error": ErrorBlock,
}


def reply_from_json(raw: Mapping[str, Any]) -> Reply:
    """Rebuild a reply that was stored as JSON by us."""
    return Reply(
        **{
            **raw,
            "status": ReplyStatus(raw["status"]),
            "blocks": tuple(_block_from_json(block) for block in raw["blocks"]),
            "undo": Undo(**raw["undo"]) if raw["undo"] else None,
            "error": ErrorInfo(**raw["error"]) if raw["error"] else None,
        }
    )


def _block_from_json(raw: Mapping[str, Any]) -> Block:
    if raw["t"] == "actions":
        return Actions(items=tuple(Action(**item) for item in raw["items"]))
    return _BLOCKS[raw["t"]](**raw)
