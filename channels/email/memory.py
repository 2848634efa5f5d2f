"""What the mail channel remembers over restarts, as it needs it to be kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Up to where a folder has been read; everything up to `uid` is in the inbox."""

    uid_validity: int
    uid: int
    read_at: datetime


class Cursors(Protocol):
    """Keeps the cursor of the one folder that is read, and who may read it."""

    async def take_turn(self) -> bool:
        """Become or stay the one who reads; False while somebody else does."""

    async def end_turn(self) -> None:
        """Let the next one read at once."""

    async def load(self) -> Cursor | None:
        """Read the cursor; None before the first time."""

    async def advance(self, *, uid_validity: int, uid: int) -> None:
        """Move the cursor, which says that all before is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A mail that leaves.

    Shape:  `is_notice` marks one that only explains how to begin, `is_urgent` one that
            has a cap of its own.
    """

    message_id: str
    parcel_id: str
    to: str
    thread: str
    subject: str
    is_notice: bool
    is_urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What somebody was sent before.

    Shape:  `about` is the newest mail on the subject in question that was accepted, ""
            without one.
    Units:  `last_hour` counts mails to the person that are as urgent, `thread_day`
            mails of the thread in a day; `room_in` seconds from now the oldest mail of
            the hour is an hour old.
    """

    last_hour: int
    room_in: float
    thread_day: int
    has_notice: bool
    about: str


class SentMails(Protocol):
    """Remembers what was sent to whom."""

    async def reserve(self, sent: Sent, *, fits: Callable[[History], bool]) -> History:
        """Keep a mail's place if it fits what was sent before, and give that.

        Both happen in one step, so that two mails cannot share one place. A mail that
        is tried again does not stand in its own way.
        """

    async def note_accepted(self, sent: Sent) -> None:
        """Note that the server took a mail: only now its subject has been told."""

    async def release(self, sent: Sent) -> None:
        """Give the place of a mail back that the server did not take."""

    async def bounce(self, message_id: str) -> bool:
        """Note that a mail never arrived; True when it was one of ours."""


class ReplyTokens(Protocol):
    """Secrets that a person shows by answering the mail they were sent."""

    async def issue(self, *, sender: str, thread: str) -> str:
        """Make a token that only counts from this sender in this thread."""

    async def find_thread(self, token: str, *, sender: str) -> str:
        """Find the thread for which this sender was given a token, "" if they were not."""
