"""Cursors of mailboxes, mails that left, and how long each is remembered; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TURN = timedelta(seconds=30)
TOKEN_TTL = timedelta(days=30)
MEMORY = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailFolder:
    """One folder of one account, which one gateway at a time reads."""

    account: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCursor:
    """Up to which number a folder was read, and when that was."""

    uid_validity: int
    uid: int
    read_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """A mail that left.

    Shape:  `parcel_id` names the delivery that it was; `is_notice` marks one that only
            explains how to begin, `is_urgent` one that has a cap of its own.
    """

    account: str
    message_id: str
    parcel_id: str
    recipient: str
    thread: str
    subject: str
    is_notice: bool
    is_urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MailCounts:
    """What somebody was sent before; `oldest_at` is the first mail of the last hour.

    Shape:  the hour counts what is as urgent as the mail in question; `about` is the
            newest mail on its subject that the server took.
    """

    last_hour: int
    oldest_at: datetime | None
    thread_day: int
    has_notice: bool
    about: str
