"""A thing to be delivered, and how far that has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.kernel.jsons import Json
from core.kernel.outgoing import Lane


class OutboxState(StrEnum):
    """How far something has come on its way out."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxDraft:
    """Something to be delivered once the unit has committed.

    Shape:  `key` is deterministic: the same key again is the same delivery and changes
            nothing. `place` is where on the channel, in its own words; `body` a reply
            as JSON. `subject` groups what is about one thing at one place: a newer
            progress takes an older one's place, and edits it where a channel can.
    """

    key: str
    channel: str
    account: str
    place: Mapping[str, Json]
    body: str
    lane: Lane = Lane.FINALS
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A stored delivery.

    Shape:  `ref` is what the channel called it, for later edits; `error` and `fix` say
            why it has not left.
    """

    id: str
    key: str
    channel: str
    account: str
    place: Mapping[str, Json] = field(default_factory=dict)
    body: str
    lane: Lane
    subject: str
    state: OutboxState
    attempts: int
    due_at: datetime
    created_at: datetime
    sent_at: datetime | None
    error: str
    fix: str
    ref: str
