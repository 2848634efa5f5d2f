"""The shapes of what subscription commands answer, and how they are filled in."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue
from typing_extensions import TypedDict

from core.database import Tx
from core.delivery.outbox.model import OutboxState, Outgoing
from core.hooks.subscriptions.deliveries import Delivery
from core.hooks.subscriptions.model import Attempt, Subscription
from core.identity.users import service as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json, parse_json


class SubscriptionData(TypedDict):
    """A subscription and how it fares; never its secret.

    What is empty of `events`, `targets` and `filter` restricts nothing.
    """

    id: str
    name: str
    url: str
    events: list[str]
    targets: list[str]
    filter: str
    answers_only: bool
    state: str
    reason: str
    last_ok_at: str | None
    failing_since: str | None
    failures: int
    created_at: str
    created_by: str
    previous_secret_until: str | None


class SubscriptionSecretData(SubscriptionData):
    """A subscription with its secret, which is shown only now."""

    secret: str


class SubscriptionPageData(TypedDict):
    """A page of subscriptions, the oldest first."""

    items: list[SubscriptionData]
    next: str | None


class SubscriptionDeliveryData(TypedDict):
    """A delivery; `status` is 0 and `took_ms` null until the receiver answered.

    `key` is the id that the receiver knows it by; `next_try_at` is null unless it waits.
    """

    id: str
    key: str
    what: str
    state: str
    attempts: int
    status: int
    took_ms: int | None
    created_at: str
    sent_at: str | None
    next_try_at: str | None
    error: str
    fix: str


class SubscriptionDeliveryPageData(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[SubscriptionDeliveryData]
    next: str | None


class SubscriptionAttemptData(TypedDict):
    """One try; `status` is 0 when nobody answered, and `error` says why."""

    attempt: int
    tried_at: str
    status: int
    took_ms: int
    answer: str
    error: str


class SubscriptionRequestData(TypedDict):
    """A request as it is sent, but for the signatures."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


class SubscriptionInspectData(SubscriptionDeliveryData):
    """A delivery with its request and all that was tried."""

    request: SubscriptionRequestData
    tried: list[SubscriptionAttemptData]


class SubscriptionTestData(TypedDict):
    """A test that is on its way; `look` is the line that shows how it went."""

    id: str
    delivery: str
    look: str


class SubscriptionRedeliveredData(TypedDict):
    """What is sent again; `more_from` is where a range that was too long goes on."""

    id: str
    redelivered: int
    deliveries: list[str]
    more_from: str | None


def view_of(tx: Tx, subscription: Subscription) -> dict[str, JsonValue]:
    """Show a subscription without its secret."""
    until = subscription.previous_until
    is_rotating = until is not None and tx.now < until
    return {
        "id": subscription.id,
        "name": subscription.name,
        "url": subscription.url,
        "events": [*sorted(subscription.wanted.types)],
        "targets": [*sorted(subscription.wanted.targets)],
        "filter": subscription.wanted.filter,
        "answers_only": subscription.wanted.answers_only,
        "state": subscription.state.value,
        "reason": subscription.reason,
        "last_ok_at": _iso(subscription.last_ok_at),
        "failing_since": _iso(subscription.failing_since),
        "failures": subscription.failures,
        "created_at": to_iso(subscription.created_at),
        "created_by": users.get_(tx, subscription.creator_id).name,
        "previous_secret_until": _iso(until) if is_rotating else None,
    }


def delivery_view_of(each: Delivery) -> dict[str, Json]:
    """Show a delivery without what it says."""
    outgoing, last = each.outgoing, each.last
    is_waiting = outgoing.state is OutboxState.WAITING
    return {
        "id": outgoing.id,
        "key": outgoing.key,
        "what": str(said_by(outgoing)["summary"]),
        "state": outgoing.state.value,
        "attempts": outgoing.attempts,
        "status": last.status if last else 0,
        "took_ms": last.took_ms if last else None,
        "created_at": to_iso(outgoing.created_at),
        "sent_at": _iso(outgoing.sent_at),
        "next_try_at": to_iso(outgoing.due_at) if is_waiting else None,
        "error": outgoing.error,
        "fix": outgoing.fix,
    }


def attempt_view_of(attempt: Attempt) -> dict[str, Json]:
    """Show one try."""
    return {
        "attempt": attempt.attempt,
        "tried_at": to_iso(attempt.tried_at),
        "status": attempt.status,
        "took_ms": attempt.took_ms,
        "answer": attempt.answer,
        "error": attempt.error,
    }


def said_by(outgoing: Outgoing) -> Mapping[str, Json]:
    """Read the reply that a delivery carries; its `data` is what is sent."""
    said = parse_json(outgoing.shown)
    assert isinstance(said, dict)
    return said


def _iso(moment: datetime | None) -> str | None:
    return to_iso(moment) if moment else None
