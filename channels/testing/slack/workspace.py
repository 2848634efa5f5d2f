"""One workspace of the fake Slack: its people, channels, and what stands in them."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from secrets import token_hex
from typing import Any

Payload = dict[str, Any]

KEPT_MESSAGES = 1_000
SCOPES = (
    "commands",
    "chat:write",
    "app_mentions:read",
    "im:history",
    "users:read",
    "users:read.email",
)

_NUMBERS = count(1)


@dataclass(slots=True, kw_only=True)
class SlackMessage:
    """A message as people see it.

    Shape:  `via` is the method that wrote it, or `response_url`, or `typed`; `only_for`
            names the one person who sees it, "" for all. `edits` counts its changes,
            and `at` is when it was written, in seconds since 1970.
    """

    channel: str
    ts: str
    user: str
    text: str
    at: float
    blocks: Sequence[Payload] = ()
    thread_ts: str = ""
    only_for: str = ""
    via: str = "typed"
    edits: int = 0

    def buttons(self) -> list[Payload]:
        """List the buttons it shows, in their order."""
        return [
            element
            for block in self.blocks
            for element in (*block.get("elements", ()), block.get("accessory") or {})
            if element.get("type") == "button"
        ]

    def shown(self) -> Payload:
        """Write it as Slack does in payloads."""
        thread = {"thread_ts": self.thread_ts} if self.thread_ts else {}
        return {
            "type": "message",
            "user": self.user,
            "ts": self.ts,
            "text": self.text,
            "blocks": list(self.blocks),
            **thread,
        }


@dataclass(slots=True, kw_only=True)
class FakeWorkspace:
    """A workspace into which the app is installed.

    Shape:  `users` maps an id to a name, `channels` as well; `token_error` is what
            every call with its token answers, such as `token_revoked`. Blocks of the
            types in `refused_blocks` are `invalid_blocks` here, and the bot is no member of
            the channels in `closed`.
    """

    team_id: str
    name: str
    bot_token: str
    bot_user_id: str
    enterprise_id: str = ""
    is_whole_enterprise: bool = False
    users: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=lambda: set(SCOPES))
    token_error: str = ""
    refused_blocks: set[str] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    homes: dict[str, Payload] = field(default_factory=dict)
    views: dict[str, Payload] = field(default_factory=dict)
    files: list[Payload] = field(default_factory=list)
    _board: deque[SlackMessage] = field(
        default_factory=lambda: deque(maxlen=KEPT_MESSAGES)
    )

    def messages(
        self, channel: str = "", *, to: str = "", thread: str = ""
    ) -> list[SlackMessage]:
        """List messages in the order they were written; "" is no filter.

        Shape:  `to` leaves out what another person alone sees.
        """
        return [
            each
            for each in self._board
            if (not channel or each.channel == channel)
            and (not to or each.only_for in ("", to))
            and (not thread or thread in (each.thread_ts, each.ts))
        ]

    def answers(self, channel: str = "") -> list[SlackMessage]:
        """List what the app has written."""
        return [
            each for each in self.messages(channel) if each.user == self.bot_user_id
        ]

    def keep(self, message: SlackMessage) -> SlackMessage:
        """Put a message on the board; the oldest leaves a full one."""
        self._board.append(message)
        return message

    def find(self, channel: str, ts: str) -> SlackMessage | None:
        """Find one message."""
        found = (
            each for each in self._board if (each.channel, each.ts) == (channel, ts)
        )
        return next(found, None)

    def remove(self, message: SlackMessage) -> None:
        """Take a message away."""
        self._board.remove(message)

    def has_place(self, channel: str) -> bool:
        """Tell whether the bot can write there: a channel, a person or their DM."""
        return channel in self.channels or self.person_of(channel) in self.users

    def person_of(self, channel: str) -> str:
        """Name the person whose direct messages a place is; "" for a channel."""
        if channel in self.users:
            return channel
        return f"U{channel[1:]}" if channel.startswith("D") else ""

    def place_of(self, channel: str) -> str:
        """Name the place that a message to a channel or person lands in."""
        return dm_of(channel) if channel in self.users else channel

    def views_of(self, user: str) -> Iterator[Payload]:
        """Yield the windows that somebody has open, the newest first."""
        for view in reversed(self.views.values()):
            if view["user"] == user:
                yield view


def dm_of(user: str) -> str:
    """Name the direct messages between a person and the app."""
    return f"D{user[1:]}"


def new_ts(now: float) -> str:
    """Make a time stamp that no other message has."""
    return f"{int(now)}.{next(_NUMBERS) % 1_000_000:06d}"


def new_id(prefix: str) -> str:
    """Make an id in Slack's manner, one that no other run of the fake gives out."""
    return f"{prefix}{token_hex(5).upper()}"
