"""Post something to be delivered, in the unit that causes it; look after it by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.database import Tx
from core.delivery.inbox import StoredReply
from core.delivery.outbox import queue, store
from core.delivery.outbox.model import (
    LIFETIME,
    WHOLE_ACCOUNT,
    Of,
    OutboxDraft,
    OutboxState,
    Outgoing,
    Spot,
)
from core.events import service as events
from core.kernel.clock import to_micros
from core.kernel.ids import number_of
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import Conflict, IllegalMove, NotFound

REPLAY_LIMIT = 1_000
EVERYTHING = Of()

_NEWEST = 2**62


def post(tx: Tx, draft: OutboxDraft) -> None:
    """Have something delivered once this unit has committed, and not if it fails.

    Shape:  the same key again changes nothing. What is still waiting of a subject's
            progress gives way to anything newer about it, so that only the newest
            state is told and a final is never behind it.
    """
    post_all(tx, [draft])


def post_all(tx: Tx, drafts: Sequence[OutboxDraft]) -> None:
    """Post several things with different keys; all are looked up before any is added.

    Rows that nothing looks for in between are stored together, in one statement.
    """
    new = [each for each in drafts if not store.has(tx, each.key)]
    for each in new:
        if each.subject:
            store.drop_progress(tx, each)
        store.add(tx, each, expires_at=to_micros(tx.now + LIFETIME))


def list_(
    tx: Tx,
    *,
    state: OutboxState | None = None,
    of: Of = EVERYTHING,
    limit: int = PAGE_LIMIT,
    cursor: str = "",
) -> Page[Outgoing]:
    """List deliveries, the newest first.

    Raises: InvalidQuery.
    """
    size = page_size(limit)
    before = parse_cursor(cursor) if cursor else _NEWEST
    found = store.list_before(tx, before, state=state, of=of, most=size + 1)
    if len(found) <= size:
        return Page(found)
    last = number_of(found[size - 1].id, "D") or 0
    return Page(found[:size], render_cursor(last))


def get_(tx: Tx, delivery_id: str) -> Outgoing:
    """Get a delivery by its id.

    Raises: NotFound.
    """
    number = number_of(delivery_id, "D")
    found = store.find_numbered(tx, number) if number else None
    if found is None:
        raise NotFound(f"the delivery {delivery_id[:40]}", fix=["outbox list"])
    return found


def find(tx: Tx, key: str) -> Outgoing | None:
    """Find a delivery by the key that it was posted under."""
    return store.find(tx, key)


def find_posted(tx: Tx, reply_id: str) -> StoredReply | None:
    """Find a reply that nobody asked for, such as news, by its own id."""
    found = store.find(tx, reply_id)
    return StoredReply(body=found.shown, at=found.created_at) if found else None


def count_open(tx: Tx) -> Mapping[tuple[str, OutboxState], int]:
    """Count what waits and what is dead, by channel."""
    return store.count_open(tx)


def replay(tx: Tx, delivery_id: str) -> Outgoing:
    """Have something tried again from the start, and at once.

    Raises: NotFound; IllegalMove when it was sent or skipped; Conflict while it is
            being sent.
    """
    outgoing = _get_open(tx, delivery_id)
    return _revive(tx, outgoing)


def replay_dead(tx: Tx, of: Of) -> Sequence[Outgoing]:
    """Have all that is dead of a channel tried again, at most 1,000 at a time."""
    dead = store.list_before(
        tx, _NEWEST, state=OutboxState.DEAD, of=of, most=REPLAY_LIMIT
    )
    return [_revive(tx, each) for each in reversed(dead)]


def send_again(tx: Tx, delivery_id: str) -> Outgoing:
    """Have something tried from the start although it was sent, under the same key.

    Raises: NotFound; IllegalMove when it was skipped; Conflict while it is being sent.
    """
    outgoing = get_(tx, delivery_id)
    if outgoing.state is OutboxState.SENT:
        return _revive(tx, outgoing)
    return replay(tx, delivery_id)


def hurry(tx: Tx, of: Of) -> None:
    """Leave an account alone no longer: somebody says that it works again."""
    queue.end_pause(tx, Spot(of.channel, of.account, WHOLE_ACCOUNT))


def drop(tx: Tx, delivery_id: str) -> Outgoing:
    """Remove something, so that it is never delivered.

    Raises: NotFound; IllegalMove when it was sent or skipped; Conflict while it is
            being sent.
    """
    outgoing = _get_open(tx, delivery_id)
    store.delete(tx, outgoing.key)
    events.append(
        tx,
        "delivery_dropped",
        target=outgoing.id,
        channel=outgoing.channel,
        account=outgoing.account,
    )
    return outgoing


def _revive(tx: Tx, outgoing: Outgoing) -> Outgoing:
    expires_at = tx.now + LIFETIME
    if outgoing.spot.is_loose:
        hurry(tx, Of(outgoing.channel, outgoing.account))
    store.revive(tx, outgoing.key, expires_at=to_micros(expires_at))
    events.append(
        tx,
        "delivery_replayed",
        target=outgoing.id,
        channel=outgoing.channel,
        account=outgoing.account,
    )
    return replace(
        outgoing,
        state=OutboxState.WAITING,
        attempts=0,
        due_at=tx.now,
        expires_at=expires_at,
    )


def _get_open(tx: Tx, delivery_id: str) -> Outgoing:
    """Get a delivery that has yet to leave and is in nobody's hands.

    Raises: NotFound, IllegalMove, Conflict.
    """
    outgoing = get_(tx, delivery_id)
    fix = [f"outbox show {outgoing.id}"]
    if outgoing.state is OutboxState.SENT:
        raise IllegalMove(f"{outgoing.id} was delivered", fix=fix)
    if outgoing.state is OutboxState.SKIPPED:
        raise IllegalMove(f"{outgoing.id} was left out", fix=fix)
    is_under_way = outgoing.state is OutboxState.WAITING
    if is_under_way and outgoing.claimed_until > tx.now:
        raise Conflict(f"{outgoing.id} is being delivered just now", fix=fix)
    return outgoing
