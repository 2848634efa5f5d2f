"""What was sent for a subscription, what became of it, and how it is sent once more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of, OutboxDraft, OutboxState, Outgoing
from core.events import service as events
from core.events.model import Event, EventFilter
from core.hooks.subscriptions import service, tries
from core.hooks.subscriptions.drafts import event_draft, trial_draft
from core.hooks.subscriptions.matching import may_see, wants
from core.hooks.subscriptions.model import (
    CHANNEL,
    Attempt,
    Subscription,
    require_enabled,
)
from core.kernel.pages import PAGE_LIMIT, Page
from core.kernel.problems import NotFound

MOST_AGAIN = 1_000
MOST_LOOKED_AT = 5_000

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Something that is sent for a subscription; `last` is None before the first try."""

    outgoing: Outgoing
    last: Attempt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What is sent once more; `more_from` is where a range that was too long goes on."""

    sent: Sequence[Outgoing]
    more_from: datetime | None = None


def list_(
    tx: Tx,
    subscription: Subscription,
    *,
    state: OutboxState | None = None,
    limit: int = PAGE_LIMIT,
    cursor: str = "",
) -> Page[Delivery]:
    """List a subscription's deliveries, the newest first.

    Raises: InvalidQuery.
    """
    of = Of(CHANNEL, subscription.id)
    page = outbox.list_(tx, state=state, of=of, limit=limit, cursor=cursor)
    return Page(
        [
            Delivery(outgoing=each, last=tries.find_last(tx, each.key))
            for each in page.items
        ],
        page.next,
    )


def get_(tx: Tx, subscription: Subscription, delivery_id: str) -> Outgoing:
    """Get one of a subscription's deliveries.

    Raises: NotFound, also for one that is somebody else's.
    """
    try:
        found = outbox.get_(tx, delivery_id)
    except NotFound as absent:
        raise _unknown(subscription, delivery_id) from absent
    if (found.channel, found.account) != (CHANNEL, subscription.id):
        raise _unknown(subscription, delivery_id)
    return found


def send_trial(tx: Tx, subscription: Subscription) -> Outgoing:
    """Send an event that did not happen, to see whether it arrives.

    Raises: IllegalMove while the subscription is disabled.
    """
    require_enabled(subscription)
    key = tx.new_token(f"{subscription.id}:test")
    draft = trial_draft(subscription.id, key, actor=tx.principal.name, now=tx.now)
    # Whoever tests has mended something: nothing waits any longer.
    outbox.hurry(tx, Of(CHANNEL, subscription.id))
    return _post(tx, draft)


def send_again(tx: Tx, subscription: Subscription, delivery_id: str) -> Again:
    """Send one delivery again under its id, whatever became of it.

    Raises: NotFound; Conflict while it is being sent; IllegalMove while the
            subscription is disabled.
    """
    require_enabled(subscription)
    found = get_(tx, subscription, delivery_id)
    return Again(sent=[outbox.send_again(tx, found.id)])


def send_failed(tx: Tx, subscription: Subscription) -> Again:
    """Send again what was given up, at most 1,000 deliveries.

    Raises: IllegalMove while the subscription is disabled.
    """
    require_enabled(subscription)
    sent = outbox.replay_dead(tx, Of(CHANNEL, subscription.id))
    return Again(sent=sent)


def send_range(
    tx: Tx, subscription: Subscription, *, since: datetime, until: datetime | None
) -> Again:
    """Send the wanted events of a time, under the ids that they always have.

    Shape:  what was sent or waits is left alone, what was given up is tried again, and
            what was never sent, for whatever reason, is sent. Without `until` the time
            has no end.
    Units:  at most 1,000 of them, out of 5,000 events; `more_from` tells what is left.
    Raises: IllegalMove while the subscription is disabled; Forbidden when its creator
            may not see events any more.
    """
    require_enabled(subscription)
    owner = service.owner_of(tx, subscription)
    sent: list[Outgoing] = []
    of = EventFilter(
        types=subscription.wanted.types, targets=subscription.wanted.targets
    )
    for looked_at, event in enumerate(_between(tx, of, since=since, until=until)):
        if looked_at == MOST_LOOKED_AT or len(sent) == MOST_AGAIN:
            return Again(sent=sent, more_from=event.ts)
        if wants(subscription.wanted, event) and may_see(owner, event):
            sent += _send_event(tx, subscription.id, event)
    return Again(sent=sent)


def _between(
    tx: Tx, of: EventFilter, *, since: datetime, until: datetime | None
) -> Iterator[Event]:
    """Yield the events of a time in their order."""
    after = events.seq_before(tx, since)
    last = events.seq_before(tx, until) if until else events.last_seq(tx)
    while found := events.list_after(tx, after, of, limit=_BATCH):
        yield from (event for event in found if event.seq <= last)
        after = found[-1].seq
        if after >= last:
            return


def _send_event(tx: Tx, subscription_id: str, event: Event) -> Sequence[Outgoing]:
    """Send one event unless it was sent or waits; give what is sent now."""
    draft = event_draft(subscription_id, event)
    known = outbox.find(tx, draft.key)
    if known is None:
        return [_post(tx, draft)]
    return [outbox.replay(tx, known.id)] if known.state is OutboxState.DEAD else []


def _post(tx: Tx, draft: OutboxDraft) -> Outgoing:
    outbox.post(tx, draft)
    posted = outbox.find(tx, draft.key)
    assert posted is not None
    return posted


def _unknown(subscription: Subscription, delivery_id: str) -> NotFound:
    return NotFound(
        f"the delivery {delivery_id[:40]} of {subscription.id}",
        fix=[f"subscription deliveries {subscription.id}"],
    )
