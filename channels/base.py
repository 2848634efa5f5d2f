"""What every channel declares and offers; small on purpose, one Protocol per need."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.outgoing import Lane
from core.kernel.principal import DEFAULT_TENANT, TenantId
from core.kernel.problems import Problem
from core.kernel.reply import Reply

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a channel can show; a block it cannot show has a written fallback.

    Units:  `max_text` counts characters, `max_blocks` blocks of one message, and
            `max_rate` messages a minute to one place; 0 is without limit.
    """

    threads: bool = False
    edit: bool = False
    ephemeral: bool = False
    buttons: bool = False
    modals: bool = False
    files: bool = False
    max_text: int = 0
    max_blocks: int = 0
    max_rate: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSpec:
    """A channel by its name, which is also the one in envelopes, audit and limits."""

    name: str
    capabilities: Capabilities


class Sender(Protocol):
    """Takes what a wire has rendered to whoever is at the other end."""

    async def send(self, payload: str) -> bool:
        """Send one payload after those before it; tell whether it was handed over."""


class PushChannel(Protocol):
    """A channel to which messages are brought: the gateway mounts it at a path."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection or request to its end."""


class PullChannel(Protocol):
    """A channel that fetches its messages itself."""

    async def run(self) -> None:
        """Fetch until cancelled; return or raise to be started again."""


# ── store-first channels: in ──────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message as its adapter hands it to the inbox: verified, and not yet run.

    Shape:  `key` is the same when the same message comes again; `payload` is what the
            channel's wire will parse, without anything that would let somebody in.
            `account` names the instance of the channel (`acme`), `sender` the
            channel's own id of whoever wrote it.
    """

    account: str
    sender: str
    key: str
    payload: Mapping[str, Json]


class Inbox(Protocol):
    """Where a channel leaves what it received."""

    async def take(self, delivery: Delivery) -> bool:
        """Store a message; it is on disk when this returns, False if it was before.

        Raises: Unavailable when it cannot be stored; then it must not be acknowledged.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """What a stored message asks for.

    Shape:  one envelope for each command, all from one sender. `reply_to` says where
            the answer goes, in the channel's own words and for hours to come; empty
            means that nobody is answered. With a `problem` the one envelope only says
            where the message came from; with `skipped` there is no command in it.
    """

    envelopes: tuple[Envelope, ...] = ()
    reply_to: Mapping[str, Json] = field(default_factory=dict)
    problem: Problem | None = None
    skipped: str = ""


class Wire(Protocol):
    """Reads what a channel stored; pure."""

    def parse(
        self, payload: Mapping[str, Json], *, account: str, received_at: datetime
    ) -> Inbound:
        """Work out what one stored message asks for; never raises for its content."""


# ── store-first channels: out ─────────────────────────────────────────────────
@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Something to be delivered to one place of one account.

    Shape:  `id` is the same at every try, so that what can be recognised as a second
            copy is. `edits` is what an earlier delivery about the same subject
            returned, "" when this is the first; a channel that can edit replaces it.
            `place["private"]` is True when only the person who asked should see it.
            `attempt` counts the tries from 1; `posted_at` is when it was first to go.
    """

    id: str
    account: str
    place: Mapping[str, Json]
    reply: Reply
    lane: Lane
    subject: str = ""
    edits: str = ""
    tenant: TenantId = DEFAULT_TENANT
    attempt: int = 1
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one try looked like, for a channel whose tries are kept and shown.

    Shape:  `status` is what the other side answered, 0 when it did not; `answer` the
            beginning of what it said, `error` why there was no good answer.
    """

    tried_at: datetime
    status: int = 0
    took_ms: int = 0
    answer: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A parcel has arrived; `ref` is what a later edit must name."""

    ref: str = ""
    attempt: Attempt | None = None


class Courier(Protocol):
    """Delivers parcels of one channel."""

    async def deliver(self, parcel: Parcel) -> str | Delivered:
        """Deliver one, within its own deadline; give what a later edit must name.

        Raises: Postponed when it may work later, Undeliverable when it never will,
                Skipped when the channel has told enough of it.
        """


class Postponed(Exception):
    """A delivery did not work now.

    Units:  `retry_after` in seconds as the other side asked, 0 when it did not say.
    Shape:  `is_account_wide` holds everything of the account back, not just the place;
            `is_lane_only` leaves what is more urgent at the place alone. A channel
            that keeps no order says by `wish` when it is due.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry_after: float = 0,
        is_account_wide: bool = False,
        is_lane_only: bool = False,
        wish: "Wish | None" = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.is_account_wide = is_account_wide
        self.is_lane_only = is_lane_only
        self.wish = wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """When a delivery that did not work is to be tried again, as its channel plans it.

    Units:  in seconds; `due_in` is for the delivery, and nothing is added to it;
            `account_rest` is for how long the account is left alone, 0 for not at all.
    """

    due_in: float
    account_rest: float = 0
    attempt: Attempt | None = None


class Skipped(Exception):
    """A delivery is not worth a message of its own here, and `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Undeliverable(Exception):
    """A delivery will never work as it is; `fix` says what would help."""

    def __init__(
        self, reason: str, *, fix: str = "", attempt: Attempt | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.attempt = attempt


# ── health ────────────────────────────────────────────────────────────────────
class Link(StrEnum):
    """How a channel stands with the world outside."""

    CONNECTED = "connected"
    DEGRADED = "degraded"
    OFF = "off"


@dataclass(slots=True, kw_only=True)
class Health:
    """How one account of a channel fares; its adapter writes it, the gateway shows it.

    Shape:  `error` is the last one in people's words and `fix` what to do about it;
            both are "" once it works again.
    """

    account: str = ""
    link: Link = Link.OFF
    last_in: datetime | None = None
    last_out: datetime | None = None
    error: str = ""
    fix: str = ""
    reconnects: int = 0

    @classmethod
    def starting(cls) -> "Health":
        """Tell of a channel that does not know its accounts yet."""
        return cls(error="starting", fix="wait a few seconds")

    def is_up(self) -> None:
        """Note that it works."""
        self.link, self.error, self.fix = Link.CONNECTED, "", ""

    def is_down(self, error: str, *, fix: str) -> bool:
        """Note an outage; True when it just began, so that it is logged once."""
        has_begun = self.link is not Link.DEGRADED
        self.link, self.error, self.fix = Link.DEGRADED, error, fix
        return has_begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a channel's self-test; `fix` is "" when it passed."""

    name: str
    is_ok: bool
    waited_ms: int
    detail: str = ""
    fix: str = ""


class Prober(Protocol):
    """Walks a round trip through a channel."""

    async def probe(self, account: str) -> list[Step]:
        """Try step by step, and stop at the first that fails; never raises."""
