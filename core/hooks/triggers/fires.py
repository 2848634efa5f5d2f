"""What an event sets off: a row in the inbox once, or a cut that says why not.

An event knows the request that caused it. If that request was a fire itself, the two are
links of one chain, and a chain has no trigger twice and an end. What leaves the house
and comes back carries no chain, so a trigger that fires too often is disabled as well.
"""

from collections.abc import Sequence
from datetime import timedelta

from core.audit.model import AuditDraft, Verdict
from core.database import Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.events import service as events
from core.events.model import Event, EventFilter, view
from core.expressions import Budget
from core.hooks import deliveries, mapping
from core.hooks.triggers import fire_store as store
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import (
    CHANNEL,
    FIRE,
    FIRES_WITHIN,
    MOST_FIRES,
    Chain,
    Fire,
    Trigger,
    awaits,
    cut_of,
    delivery_of,
    key_of,
    written,
)
from core.identity.users import store as users
from core.kernel.jsons import Json, canonical_json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import NotFound, Problem, Unavailable

# What one filter may spend of what all of them share, so that a heavy one leaves the
# others theirs.
FILTER_STEPS = 50_000
_BATCH = 200
_NEWEST = 2**62


def wanted(tx: Tx) -> EventFilter | None:
    """Tell which events some trigger looks at; None while there is none."""
    filters = [each.when.wanted for each in triggers.list_all(tx) if each.is_enabled]
    if not filters:
        return None
    is_narrow = all(each.targets for each in filters)
    return EventFilter(
        types=frozenset[str]().union(*(each.types for each in filters)),
        targets=frozenset[str]().union(*(each.targets for each in filters))
        if is_narrow
        else frozenset(),
    )


def set_off(tx: Tx, event: Event) -> Sequence[Trigger]:
    """Set off every trigger that waits for an event, each at most once.

    Shape:  each that matches is put into the inbox, in this unit; or it is cut, which
            is told in the audit. Given are those that this disabled, for they fired too
            often.
    """
    chain, budget = _chain_of(tx, event), Budget()
    outcomes = [
        _fire_or_cut(tx, trigger, event, chain)
        for trigger in triggers.list_all(tx)
        if _matches(tx, trigger, event, budget)
    ]
    return [each for each in outcomes if each is not None]


def subject_of(tx: Tx, trigger: Trigger, event: Event) -> Json:
    """Read what a trigger's expressions look at: an event, or a delivery's payload.

    Raises: NotFound when the delivery is no longer kept; InvalidJson and other Problems
            when it cannot be read.
    """
    if not trigger.when.webhook:
        return view(event)
    delivery = delivery_of(event)
    stored = received.find(tx, delivery)
    if stored is None:
        raise NotFound(
            f"the delivery {delivery}", fix=[f"webhook deliveries {event.target}"]
        )
    return deliveries.payload_of(stored)


def passes(trigger: Trigger, subject: Json, *, budget: Budget | None = None) -> bool:
    """Tell whether a trigger's filter lets something through.

    Shape:  `budget` is what it shares with the other triggers of the same event.
    Raises: InvalidArgument when it cannot be applied to that, or takes too much work.
    """
    own = Budget(FILTER_STEPS, within=budget)
    return mapping.passes(trigger.rule, subject, budget=own)


def get_event(tx: Tx, seq: int) -> Event:
    """Get one event by its number.

    Raises: NotFound.
    """
    found = events.list_after(tx, seq - 1, limit=1)
    if not found or found[0].seq != seq:
        raise NotFound(f"the event {seq}", fix=["event tail"])
    return found[0]


def find_last(tx: Tx, trigger: Trigger) -> Event | None:
    """Find the newest event that a trigger would look at."""
    found = events.list_last(tx, trigger.when.wanted, limit=1)
    return found[0] if found else None


def list_(
    tx: Tx, trigger_id: str, *, limit: int = PAGE_LIMIT, cursor: str = ""
) -> Page[Fire]:
    """List what set a trigger off, the newest first, cut ones included.

    Raises: InvalidQuery.
    """
    before = parse_cursor(cursor) if cursor else _NEWEST
    found = store.list_before(tx, trigger_id, before, most=page_size(limit) + 1)
    last = found[limit - 1].seq if len(found) > limit else None
    return Page(found[:limit], render_cursor(last) if last else None)


def find_expired(tx: Tx, kept: timedelta) -> Sequence[Fire]:
    """Find a batch of fires that have been kept long enough, the oldest first."""
    oldest = store.list_oldest(tx, most=_BATCH)
    return [each for each in oldest if each.at < tx.now - kept]


def forget(tx: Tx, expired: Sequence[Fire]) -> None:
    """Delete what was found."""
    for each in expired:
        store.forget(tx, each.request_id)


def _chain_of(tx: Tx, event: Event) -> Chain:
    """List the triggers that led to an event; none when somebody made it happen."""
    cause = store.find(tx, event.cause) if event.cause else None
    return (*cause.chain, cause.trigger_id) if cause else ()


def _matches(tx: Tx, trigger: Trigger, event: Event, budget: Budget) -> bool:
    """Tell whether an event sets a trigger off, which it has not done before."""
    is_news = event.seq > trigger.since_seq
    if not (trigger.is_enabled and is_news and awaits(trigger, event)):
        return False
    if store.find_by_key(tx, trigger.id, key_of(trigger, event)) is not None:
        return False
    return not trigger.rule.filter or _passes(tx, trigger, event, budget)


def _passes(tx: Tx, trigger: Trigger, event: Event, budget: Budget) -> bool:
    """Ask a trigger's filter; what it cannot be applied to is none of its business."""
    try:
        return passes(trigger, subject_of(tx, trigger, event), budget=budget)
    except Unavailable:
        raise
    except Problem:
        return False


def _fire_or_cut(
    tx: Tx, trigger: Trigger, event: Event, chain: Chain
) -> Trigger | None:
    """Put a fire into the inbox, or cut it; give the trigger if that disabled it."""
    if cut := cut_of(chain, trigger.id):
        _cut(tx, trigger, event, chain, why=cut)
        whole = written((*chain, trigger.id))
        events.append(tx, "trigger_cut", target=trigger.id, seq=event.seq, chain=whole)
        return None
    if _is_too_busy(tx, trigger):
        why = f"more than {MOST_FIRES} fires within a minute"
        _cut(tx, trigger, event, chain, why=why)
        return triggers.disable(tx, trigger.id, reason=why)
    _fire(tx, trigger, event, chain)
    return None


def _fire(tx: Tx, trigger: Trigger, event: Event, chain: Chain) -> None:
    fire = _fire_of(tx, trigger, event, chain)
    store.add(tx, fire)
    payload = canonical_json({"trigger": trigger.id, "seq": event.seq})
    tx.record(
        InboxDraft(
            key=InboxKey(tx.tenant, CHANNEL, trigger.id, trigger.owner_id, fire.key),
            conversation="",
            reply_id=f"rp_{fire.request_id.removeprefix('rq_')}",
            request_id=fire.request_id,
            request_hash="",
            reply="",
            state=InboxState.RECEIVED,
            payload=payload.decode(),
        )
    )


def _cut(tx: Tx, trigger: Trigger, event: Event, chain: Chain, *, why: str) -> None:
    fire = _fire_of(tx, trigger, event, chain, cut=why)
    store.add(tx, fire)
    owner = users.find(tx, trigger.owner_id)
    tx.record(
        AuditDraft(
            action=FIRE,
            actor=owner.name if owner else trigger.owner_id,
            channel=CHANNEL,
            account=trigger.id,
            target=trigger.id,
            verdict=Verdict.DENIED,
            reason=why,
            request_id=fire.request_id,
        )
    )


def _fire_of(
    tx: Tx, trigger: Trigger, event: Event, chain: Chain, *, cut: str = ""
) -> Fire:
    return Fire(
        request_id=tx.new_token("rq"),
        trigger_id=trigger.id,
        key=key_of(trigger, event),
        seq=event.seq,
        at=tx.now,
        chain=chain,
        cut=cut,
    )


def _is_too_busy(tx: Tx, trigger: Trigger) -> bool:
    """Tell whether a trigger has fired as often as it may within a minute."""
    moment = store.find_limit_moment(tx, trigger.id)
    return moment is not None and tx.now - moment < FIRES_WITHIN
