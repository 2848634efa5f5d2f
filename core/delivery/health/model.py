"""How one account of a channel fares."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Link(StrEnum):
    """How an account stands with the world outside."""

    CONNECTED = "connected"
    DEGRADED = "degraded"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """What was last seen of one account.

    Shape:  `error` is in people's words and `fix` what to do about it; both "" while
            it works. None is a moment that has not come yet.
    """

    channel: str
    account: str
    link: Link
    last_in: datetime | None = None
    last_out: datetime | None = None
    error: str = ""
    fix: str = ""
    reconnects: int = 0
