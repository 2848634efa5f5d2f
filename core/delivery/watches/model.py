"""A watch: one person hears of one object at one place. A card: a message shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.kernel.jsons import Json

WATCH_LIMIT = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Somebody's wish to hear of an object.

    Shape:  `place` is where on the channel, in its own words. Only events after
            `since_seq` are told.
    """

    user_id: str
    target: str
    channel: str
    account: str
    place: Mapping[str, Json]
    since_seq: int = 0
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """The message of a conversation that is kept up to date with an object.

    Shape:  `place` is where that message was sent; a conversation has one card of an
            object, the newest answer about it. `by` asked for it at `asked_at`: what it
            shows already is what they did then.
    """

    channel: str
    account: str
    conversation: str
    target: str
    place: Mapping[str, Json]
    by: str
    asked_at: datetime
    since_seq: int = 0

    @property
    def subject(self) -> str:
        """What the message and all that later takes its place are about."""
        return f"card:{self.conversation}:{self.target}"

    def is_told_of(self, *, seq: int, ts: datetime, actor: str) -> bool:
        """Tell whether an event is older than the card, or is what made it."""
        is_its_own = actor == self.by and ts <= self.asked_at
        return seq <= self.since_seq or is_its_own
