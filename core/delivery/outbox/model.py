"""A thing to be delivered, how far that has come, and what a channel bears."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.kernel.jsons import Json, canonical_json
from core.kernel.outgoing import Lane

LIFETIME = timedelta(hours=24)
# Whatever is to wait beyond its day is tried once more so long before that is over.
LAST_TRY = timedelta(hours=1)
PROGRESS_PAUSE = timedelta(seconds=2)
WHOLE_ACCOUNT = ""
# The line of what needs no order: many at once, and none waits for another.
LOOSE = "loose"

# Whoever receives webhooks is promised each of them, and no order.
_WITHOUT_ORDER = frozenset({"webhook"})
# The room, the thread or the person that a place names, in the words of the channels.
_LINES = ("channel", "thread", "to", "user")
# What holds for one answer only, or lets whoever knows it answer in our place.
_PASSING = frozenset({"response_url", "expires", "private"})


class OutboxState(StrEnum):
    """How far something has come on its way out; SKIPPED was not worth a message."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
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
    """A line of an account; "" is the account as a whole."""

    channel: str
    account: str
    line: str

    @property
    def whole_account(self) -> "Spot":
        """The account that the line belongs to."""
        return self._replace(line=WHOLE_ACCOUNT)

    @property
    def is_loose(self) -> bool:
        """Whether what stands there keeps no order."""
        return self.line == LOOSE


class Of(NamedTuple):
    """Whose deliveries are meant; "" restricts nothing."""

    channel: str = ""
    account: str = ""


def line_of(place: Mapping[str, Json]) -> str:
    """Name the line that a place stands in: what is said there keeps order and pace.

    Shape:  the room, thread or person that the place names, or else all of it. What
            answers one person alone, or goes to an address that was given for one
            answer, stands in that person's line: nobody in the room waits for it.
    """
    is_for_one = place.get("private") or place.get("response_url")
    lines = ("user", *_LINES) if is_for_one else _LINES
    named = (f"{name}:{place[name]}" for name in lines if place.get(name))
    return next(named, "") or canonical_json(dict(place)).decode()


def spot_of(channel: str, account: str, place: Mapping[str, Json]) -> Spot:
    """Name the line of an account that a place stands in."""
    line = LOOSE if channel in _WITHOUT_ORDER else line_of(place)
    return Spot(channel, account, line)


def lasting(place: Mapping[str, Json]) -> Mapping[str, Json]:
    """Leave out of a place what holds for one answer only."""
    return {name: value for name, value in place.items() if name not in _PASSING}


def is_lasting(place: Mapping[str, Json]) -> bool:
    """Tell whether an answer sent there is a message that can be edited later."""
    return bool(place) and not (place.get("response_url") or place.get("private"))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxDraft:
    """Something to be delivered once the unit has committed.

    Shape:  `key` is deterministic: the same key again is the same delivery and changes
            nothing. `place` is where on the channel, in its own words; `body` a reply
            as JSON. `subject` groups what is about one thing in one line: a newer
            progress takes an older one's place, and edits it where a channel can.
            `kept` is what stays in place of a body that tells a secret, "" for all of
            it.
    """

    key: str
    channel: str
    account: str
    place: Mapping[str, Json]
    body: str
    kept: str = ""
    lane: Lane = Lane.FINALS
    subject: str = ""
    appearance: Appearance = Appearance.EDIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A stored delivery.

    Shape:  `ref` is what the channel called it, for later edits; `error` and `fix` say
            why it has not left. `edits` is the `ref` of what it takes the place of;
            only what was claimed has one. `kept` takes the place of `body` once it
            was sent or given up.
    """

    id: str
    key: str
    channel: str
    account: str
    place: Mapping[str, Json] = field(default_factory=dict)
    body: str
    kept: str = ""
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

    @property
    def spot(self) -> Spot:
        """The line that it stands in."""
        return spot_of(self.channel, self.account, self.place)

    @property
    def shown(self) -> str:
        """What others than its receiver may read of it."""
        return self.kept or self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What one channel bears.

    Units:  `pause` is between two messages of one line, `most` the deliveries at once
            to one account.
    """

    pause: timedelta = timedelta()
    most: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Why a delivery did not work now, and until when it waits.

    Shape:  `spot` is what waits with it: the line, or the whole account; None when
            only the delivery itself does, and what is behind it in its lane. It waits
            until `spot_until`, or as long as the delivery does.
    """

    reason: str
    until: datetime
    spot: Spot | None = None
    spot_until: datetime | None = None
