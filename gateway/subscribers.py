"""Puts events into the outbox for everybody outside who has subscribed to them."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft
from core.events.model import Event, EventFilter
from core.expressions import Budget
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.drafts import event_draft
from core.hooks.subscriptions.matching import may_see, wants
from core.hooks.subscriptions.model import Subscription
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import Forbidden

# After these, somebody's subscriptions may see less, or nothing.
_RIGHTS = frozenset({"user_disabled", "user_roles_changed"})

_Creator = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Known:
    """The subscriptions of a tenant as they were committed, and their version."""

    version: int
    enabled: Sequence[Subscription]


class Subscribers:
    """The consumer that posts each event to each subscription that wants it, once.

    Shape:  what its creator may not see now, a subscription is not told; one whose
            creator may see nothing any more is disabled.
    """

    name = "subscriptions"

    def __init__(self) -> None:
        self._known: dict[TenantId, _Known] = {}

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what any subscription may want; nothing while there is none.

        What this look at the database sees is committed, and so may be remembered.
        """
        version = tx.version(subscriptions.COLLECTION)
        known = self._known.get(tx.tenant)
        if known is None or known.version != version:
            known = _Known(version, subscriptions.list_enabled(tx))
            self._known[tx.tenant] = known
        return _filter_of(known.enabled) if known.enabled else None

    def react(self, tx: Tx, event: Event) -> None:
        """Post an event to each subscription that wants it and may see it."""
        seen: dict[_Creator, Principal | Forbidden] = {}
        drafts: list[OutboxDraft] = []
        budget = Budget()
        for each in self._enabled(tx):
            is_about_creator = event.type in _RIGHTS and event.target == each.creator_id
            is_new = event.seq > each.since_seq
            is_wanted = is_new and wants(each.wanted, event, budget=budget)
            if not (is_wanted or is_about_creator):
                continue
            owner = _owner_of(tx, each, seen)
            if isinstance(owner, Forbidden):
                subscriptions.disable(tx, each.id, reason=owner.detail)
            elif is_wanted and may_see(owner, event):
                drafts.append(event_draft(each.id, event))
        outbox.post_all(tx, drafts)

    def _enabled(self, tx: Tx) -> Sequence[Subscription]:
        """List what is enabled in this unit, which may see more than is remembered."""
        known = self._known.get(tx.tenant)
        if known is not None and known.version == tx.version(subscriptions.COLLECTION):
            return known.enabled
        return subscriptions.list_enabled(tx)


def _owner_of(
    tx: Tx, subscription: Subscription, seen: dict[_Creator, Principal | Forbidden]
) -> Principal | Forbidden:
    """Say whose eyes a subscription has, asking once for each creator."""
    creator = subscription.creator_id, subscription.creator_scopes
    if creator not in seen:
        try:
            seen[creator] = subscriptions.owner_of(tx, subscription)
        except Forbidden as refusal:
            seen[creator] = refusal
    return seen[creator]


def _filter_of(enabled: Sequence[Subscription]) -> EventFilter:
    """Join what all want, and the rights of those who made them.

    One that restricts nothing makes the whole unrestricted.
    """
    telling = [each.wanted for each in enabled if not each.wanted.answers_only]
    types = [each.types for each in telling]
    targets = [each.targets for each in telling]
    creators = frozenset(each.creator_id for each in enabled)
    return EventFilter(
        types=_RIGHTS.union(*types) if all(types) else frozenset(),
        targets=creators.union(*targets) if all(targets) else frozenset(),
    )
