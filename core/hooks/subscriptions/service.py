"""Create, find, rotate and disable subscriptions; say where to send, and note how it went.

Who delivers asks `receiver_of` first and calls `note_attempt` after every try.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of
from core.events.service import append
from core.expressions import check_expression
from core.hooks.model import LONGEST_OVERLAP, OVERLAP, Vault, key_of, new_secret
from core.hooks.subscriptions import store, tries
from core.hooks.subscriptions.checks import (
    parse_name,
    parse_targets,
    parse_types,
    parse_url,
)
from core.hooks.subscriptions.model import (
    CHANNEL,
    Attempt,
    NewSubscription,
    Receiver,
    Subscription,
    Wanted,
    bounded,
    health_after,
    is_long,
    reason_to_disable,
    require_enabled,
    unknown,
)
from core.identity.scopes import meet
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.clock import to_iso
from core.kernel.ids import SubscriptionId, number_of
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.principal import Assurance, Principal, TenantId
from core.kernel.problems import (
    AlreadyExists,
    Forbidden,
    IllegalMove,
    InvalidArgument,
    MissingScope,
)
from core.secrets.model import context_of

COLLECTION = "subscriptions"
SEES = "events:read"

_FORGOTTEN_AT_ONCE = 200


def create(
    tx: Tx, name: str, url: str, *, wanted: Wanted, vault: Vault
) -> NewSubscription:
    """Have an address told of what the caller may see, from now on.

    Shape:  the secret is shown only now.
    Raises: AlreadyExists; InvalidArgument for a bad name, URL or filter; NotFound when
            the caller is no user, for nobody could then be asked what it may see.
    """
    parse_name(name)
    parse_url(url)
    _check_wanted(wanted)
    if store.find(tx, name) is not None:
        raise AlreadyExists(
            f"the subscription {name} exists already", fix=["subscription list"]
        )
    creator = users.get_(tx, tx.principal.id)
    subscription_id = SubscriptionId(tx.new_id("SB"))
    secret = new_secret()
    store.add(
        tx,
        Subscription(
            id=subscription_id,
            name=name,
            url=url,
            wanted=wanted,
            creator_id=creator.id,
            creator_scopes=tx.principal.scopes,
            created_at=tx.now,
            secret=_seal(vault, tx.tenant, subscription_id, secret),
            since_seq=tx.event_seq,
        ),
    )
    tx.bump(COLLECTION)
    append(
        tx,
        "subscription_created",
        target=subscription_id,
        name=name,
        events=[*sorted(wanted.types)],
    )
    return NewSubscription(subscription=get_(tx, subscription_id), secret=secret)


def get_(tx: Tx, reference: str) -> Subscription:
    """Get a subscription by its id or its name.

    Raises: NotFound.
    """
    found = store.find(tx, reference)
    if found is None:
        raise unknown(reference)
    return found


def find(tx: Tx, reference: str) -> Subscription | None:
    """Find a subscription by its id or its name."""
    return store.find(tx, reference)


def list_(tx: Tx, *, limit: int = PAGE_LIMIT, cursor: str = "") -> Page[Subscription]:
    """List subscriptions in the order they were made.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    found = store.list_after(tx, after, most=page_size(limit) + 1)
    items = found[:limit]
    last = number_of(items[-1].id, "SB") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def list_enabled(tx: Tx) -> Sequence[Subscription]:
    """List all that are sent anything."""
    return store.list_enabled(tx)


def rotate(
    tx: Tx, reference: str, *, vault: Vault, overlap: timedelta = OVERLAP
) -> NewSubscription:
    """Give a subscription a new secret; both sign what is sent during `overlap`.

    Raises: NotFound, InvalidArgument.
    """
    found = get_(tx, reference)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidArgument(
            "the overlap is not possible",
            fix=["use 0 s to 30 days"],
            argument="overlap",
        )
    secret, until = new_secret(), tx.now + overlap
    sealed = _seal(vault, tx.tenant, found.id, secret)
    store.rotate(tx, found.id, new=sealed, old=found.secret, until=until)
    append(tx, "subscription_rotated", target=found.id, until=to_iso(until))
    return NewSubscription(subscription=get_(tx, found.id), secret=secret)


def disable(tx: Tx, reference: str, *, reason: str) -> Subscription:
    """Send nothing more, and say so; what is disabled stays as it is.

    Raises: NotFound.
    """
    found = get_(tx, reference)
    if store.disable(tx, found.id, reason=reason):
        tx.bump(COLLECTION)
        append(
            tx,
            "subscription_disabled",
            target=found.id,
            name=found.name,
            reason=reason,
            fix=f"subscription enable {found.id}",
        )
    return get_(tx, found.id)


def enable(tx: Tx, reference: str) -> Subscription:
    """Send again, from now on; its failures are forgotten.

    Raises: NotFound; Forbidden when its creator may not see events any more.
    """
    found = get_(tx, reference)
    owner_of(tx, found)
    if store.enable(tx, found.id, since_seq=tx.event_seq):
        tx.bump(COLLECTION)
        append(tx, "subscription_enabled", target=found.id, name=found.name)
        outbox.hurry(tx, Of(CHANNEL, found.id))
    return get_(tx, found.id)


def delete(tx: Tx, reference: str) -> Subscription:
    """Remove a subscription; what was sent stays on record.

    Raises: NotFound.
    """
    found = get_(tx, reference)
    store.delete(tx, found.id)
    tx.bump(COLLECTION)
    append(tx, "subscription_deleted", target=found.id, name=found.name)
    return found


def owner_of(tx: Tx, subscription: Subscription) -> Principal:
    """Say with whose eyes a subscription sees now: its creator's, as far as the rights
    go that it was made with.

    Raises: Forbidden when the creator is disabled or may not see events.
    """
    creator = users.get_(tx, subscription.creator_id)
    who = f"{creator.name}, who made this subscription,"
    if not creator.is_active:
        raise Forbidden(
            f"{who} is disabled",
            fix=[f"user enable {creator.name}", "make it again in another name"],
        )
    scopes = meet(subscription.creator_scopes, creator.scopes)
    owner = to_principal(creator, Assurance.SECRET, scopes=scopes)
    if not owner.may(SEES):
        raise MissingScope(SEES, who=who)
    return owner


# ── for whoever delivers ──────────────────────────────────────────────────────
def receiver_of(tx: Tx, subscription_id: str, *, vault: Vault) -> Receiver:
    """Say where to send what a subscription is told, and what to sign it with.

    Raises: NotFound; IllegalMove when it is disabled or its creator may not see events;
            Unavailable when its secret cannot be opened.
    """
    found = get_(tx, subscription_id)
    require_enabled(found)
    try:
        owner_of(tx, found)
    except Forbidden as refusal:
        raise IllegalMove(refusal.detail, fix=refusal.fix) from refusal
    sealed = [found.secret]
    if found.previous_until is not None and tx.now < found.previous_until:
        sealed.append(found.previous_secret)
    context = _context(tx.tenant, found.id)
    keys = (key_of(vault.open_(each, context=context).decode()) for each in sealed)
    return Receiver(subscription_id=found.id, url=found.url, keys=tuple(keys))


def note_attempt(tx: Tx, subscription_id: str, attempt: Attempt) -> None:
    """Keep what became of one try, and disable what cannot be reached any more.

    Shape:  410 disables at once; else a day without any success does, when more than
            one delivery has failed. What was deleted meanwhile is noted all the same.
    """
    kept = replace(
        attempt, answer=bounded(attempt.answer), error=bounded(attempt.error)
    )
    tries.add(tx, kept)
    found = store.find(tx, subscription_id)
    if found is None:
        return
    health = health_after(found, kept)
    store.note_health(tx, found.id, health)
    failed = _count_failed(tx, found, since=health.failing_since, now=kept.tried_at)
    reason = reason_to_disable(health, kept, failed=failed)
    if reason and found.is_enabled:
        disable(tx, found.id, reason=reason)


def list_attempts(tx: Tx, key: str) -> Sequence[Attempt]:
    """List what was tried for one delivery, in order."""
    return tries.list_of(tx, key)


def find_old_attempts(tx: Tx, kept: timedelta) -> Sequence[tuple[str, int]]:
    """Find a batch of attempts that were kept long enough, the oldest first."""
    return tries.list_before(tx, tx.now - kept, most=_FORGOTTEN_AT_ONCE)


def forget_attempts(tx: Tx, attempts: Sequence[tuple[str, int]]) -> None:
    """Delete what was found."""
    for key, number in attempts:
        tries.forget(tx, key, number)


def _count_failed(
    tx: Tx, found: Subscription, *, since: datetime | None, now: datetime
) -> int:
    """Count the deliveries that failed in a row, once that may matter."""
    if since is None or not is_long(now - since):
        return 0
    return tries.count_deliveries(tx, found.id, since=since, most=2)


def _check_wanted(wanted: Wanted) -> None:
    if wanted.answers_only and (wanted.types or wanted.targets or wanted.filter):
        raise InvalidArgument(
            "a subscription for answers alone wants no events",
            fix=["leave --events, --targets and --filter out, or --answers-only"],
            argument="answers_only",
        )
    parse_types(wanted.types)
    parse_targets(wanted.targets)
    if wanted.filter:
        check_expression("filter", wanted.filter)


def _seal(vault: Vault, tenant: TenantId, of: SubscriptionId, secret: str) -> str:
    return vault.seal(secret.encode(), context=_context(tenant, of))


def _context(tenant: TenantId, of: SubscriptionId) -> str:
    """One place for both secrets, because a rotation moves the sealed text."""
    return context_of(tenant, "subscriptions", row=of, field="secret")
