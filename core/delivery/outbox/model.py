"""A thing to be delivered, how far that has come, and what a channel bears."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.kernel.jsons import Json
from core.kernel.outgoing import Lane

LIFETIME = timedelta(hours=24)
PROGRESS_ATTEMPTS = 3
WHOLE_ACCOUNT = ""


class OutboxState(StrEnum):
    """How far something has come on its way out."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Appearance(StrEnum):
    """Whether something is a message of its own.

    Shape:  EDIT takes the place of what was sent last about its subject, if anything
            was; EDIT_ONLY is left out when there is nothing to edit.
    """

    NEW = "new"
    EDIT = "edit"
    EDIT_ONLY = "edit_only"


class Spot(NamedTuple):
    """A place of an account, written as it is stored; "" is the account as a whole."""

    channel: str
    account: str
    place: str

    @property
    def whole_account(self) -> "Spot":
        """The account that the place belongs to."""
        return self._replace(place=WHOLE_ACCOUNT)


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
    appearance: Appearance = Appearance.EDIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A stored delivery.

    Shape:  `ref` is what the channel called it, for later edits; `error` and `fix` say
            why it has not left. `edits` is the `ref` of what it takes the place of;
            only what was claimed has one.
    """

    id: str
    key: str
    channel: str
    account: str
    place: Mapping[str, Json] = field(default_factory=dict)
    body: str
    lane: Lane
    subject: str
    appearance: Appearance
    state: OutboxState
    attempts: int
    due_at: datetime
    expires_at: datetime
    claimed_until: datetime
    created_at: datetime
    sent_at: datetime | None
    error: str
    fix: str
    ref: str
    edits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one channel bears.

    Units:  `pause` is between two messages to one place, `most` the deliveries at once
            to one account. Where nothing can be edited, `progress_pause` is between two
            messages about the progress of one thing.
    """

    pause: timedelta = timedelta()
    most: int = 8
    can_edit: bool = True
    progress_pause: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Why a delivery did not work now, and until when it waits.

    Shape:  `spot` is what waits with it: the place, or the whole account; None when
            only the delivery itself does.
    """

    reason: str
    until: datetime
    spot: Spot | None = None
