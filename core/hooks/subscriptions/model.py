"""What a subscription is, and when it is given up; pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from core.kernel.ids import SubscriptionId
from core.kernel.problems import IllegalMove, NotFound

CHANNEL = "webhook"
ANSWER_BYTES = 2_048
FAILING_LIMIT = timedelta(hours=24)
GONE = 410

# Telling of these would make more of them, without end.
UNTOLD = ("subscription_", "delivery_", "trigger_")

_ERROR_LIMIT = 500


class State(StrEnum):
    """Whether anything is sent."""

    ENABLED = "enabled"
    DISABLED = "disabled"


class Kind(StrEnum):
    """What a delivery tells: an event, or the reply to a command."""

    EVENT = "event"
    REPLY = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events are told; what is empty restricts nothing.

    Shape:  `filter` is a JMESPath expression that must find something true in the
            event as it would be sent. With `answers_only` no event is told at all, but
            the answers to webhooks that name the subscription.
    """

    types: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    filter: str = ""
    answers_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One address outside that is told of events, and how that went lately.

    Shape:  `creator_scopes` is what its creator could do when it was made: it sees what
            of that is left. `secret` and `previous_secret` are sealed, and the previous
            one counts until `previous_until`. `reason` says why it is disabled. Events
            up to `since_seq` are not told. `failing_since` is the first failure after
            the last success, `failures` counts them from there.
    """

    id: SubscriptionId
    name: str
    url: str
    wanted: Wanted
    creator_id: str
    creator_scopes: frozenset[str]
    created_at: datetime
    secret: str
    previous_secret: str = ""
    previous_until: datetime | None = None
    state: State = State.ENABLED
    reason: str = ""
    since_seq: int = 0
    last_ok_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0

    @property
    def is_enabled(self) -> bool:
        """Whether anything is sent."""
        return self.state is State.ENABLED


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """A subscription with the only readable copy of its secret."""

    subscription: Subscription
    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where to send, and the keys to sign with: two during a rotation, new one first."""

    subscription_id: SubscriptionId
    url: str
    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to deliver something.

    Shape:  `key` is the delivery's; `attempt` counts from 1. `status` is what the
            receiver answered, 0 when it did not; `answer` is the beginning of what it
            said, `error` why there was no good answer.
    Units:  `answer` keeps at most 2 KiB.
    """

    key: str
    attempt: int
    status: int
    took_ms: int
    answer: str = ""
    error: str = ""
    tried_at: datetime

    @property
    def is_good(self) -> bool:
        """Whether the receiver took it."""
        return 200 <= self.status < 300


class Health(NamedTuple):
    """How a subscription stands after an attempt."""

    last_ok_at: datetime | None
    failing_since: datetime | None
    failures: int


def health_after(subscription: Subscription, attempt: Attempt) -> Health:
    """Count an attempt: a success starts over."""
    if attempt.is_good:
        return Health(attempt.tried_at, None, 0)
    return Health(
        subscription.last_ok_at,
        subscription.failing_since or attempt.tried_at,
        subscription.failures + 1,
    )


def reason_to_disable(health: Health, attempt: Attempt, *, failed: int) -> str:
    """Say why nothing more is to be sent, "" when all may go on.

    Shape:  `failed` counts the deliveries that failed since the last success: one that
            the receiver does not like is no reason to keep the others from it.
    """
    if attempt.status == GONE:
        return "the receiver answered 410: it is gone"
    since = health.failing_since
    if since is None or failed < 2 or not is_long(attempt.tried_at - since):
        return ""
    hours = FAILING_LIMIT // timedelta(hours=1)
    last = f"it answered {attempt.status}" if attempt.status else attempt.error
    return f"nothing arrived for {hours} hours; at last {last}"[:_ERROR_LIMIT]


def is_long(failing: timedelta) -> bool:
    """Tell whether a receiver has failed for long enough to be given up."""
    return failing >= FAILING_LIMIT


def bounded(text: str) -> str:
    """Keep the beginning of what somebody else wrote, in a form that can be stored."""
    kept = text.replace("\0", "\ufffd").encode(errors="replace")[:ANSWER_BYTES]
    return kept.decode(errors="ignore")


def is_told(event_type: str) -> bool:
    """Tell whether events of a type are ever told to a subscription."""
    return not event_type.startswith(UNTOLD)


def event_key(subscription_id: str, seq: int) -> str:
    """Name the delivery of one event; the same event again is the same delivery."""
    return f"{subscription_id}:ev:{seq}"


def reply_key(subscription_id: str, reply_id: str) -> str:
    """Name the delivery of one reply."""
    return f"{subscription_id}:rp:{reply_id}"


def unknown(reference: str) -> NotFound:
    """Say that there is no such subscription."""
    return NotFound(f"the subscription {reference[:40]}", fix=["subscription list"])


def require_enabled(subscription: Subscription) -> None:
    """Refuse to send what would only be given up.

    Raises: IllegalMove saying why it is disabled.
    """
    if not subscription.is_enabled:
        raise IllegalMove(
            f"{subscription.id} is disabled: {subscription.reason}",
            fix=[f"subscription enable {subscription.id}"],
        )
