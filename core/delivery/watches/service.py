"""Watch an object and stop watching it; keep a card of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.database import Tx
from core.delivery.watches import store
from core.delivery.watches.model import WATCH_LIMIT, Card, Watch
from core.kernel.jsons import Json
from core.kernel.problems import Conflict, NotFound


def watch(
    tx: Tx, target: str, *, channel: str, account: str, place: Mapping[str, Json]
) -> Watch:
    """Have the caller told of an object at a place; asked again, nothing changes.

    Raises: Conflict when the caller watches as much as one person may.
    """
    wanted = Watch(
        user_id=tx.principal.id,
        target=target,
        channel=channel,
        account=account,
        place=place,
        since_seq=tx.event_seq,
        created_at=tx.now,
    )
    mine = store.list_of_person(tx, tx.principal.id)
    for each in mine:
        if _is_same(each, wanted):
            return each
    if len(mine) >= WATCH_LIMIT:
        raise Conflict(
            f"you watch {WATCH_LIMIT} things already", fix=["watch list", "unwatch T-1"]
        )
    store.add(tx, wanted)
    return wanted


def unwatch(tx: Tx, target: str, *, channel: str = "") -> Sequence[Watch]:
    """Stop telling the caller of an object, on one channel or on all.

    Raises: NotFound when the caller does not watch it there.
    """
    ended = [
        each
        for each in store.list_of_person(tx, tx.principal.id)
        if each.target == target and channel in ("", each.channel)
    ]
    if not ended:
        raise NotFound(f"a watch of {target[:40]}", fix=["watch list"])
    for each in ended:
        store.remove(tx, each)
    return ended


def list_(tx: Tx) -> Sequence[Watch]:
    """List what the caller watches, the oldest first."""
    return store.list_of_person(tx, tx.principal.id)


def list_of(tx: Tx, target: str) -> Sequence[Watch]:
    """List who watches an object."""
    return store.list_of_target(tx, target)


def end(tx: Tx, ended: Watch) -> None:
    """End a watch, because its object or its person is gone."""
    store.remove(tx, ended)


def watched(tx: Tx) -> frozenset[str]:
    """Name the objects that somebody watches."""
    return store.watched(tx)


def keep_card(tx: Tx, card: Card) -> None:
    """Keep the message that was just posted up to date with an object from now on."""
    store.put_card(tx, replace(card, since_seq=tx.event_seq))


def list_cards(tx: Tx, target: str) -> Sequence[Card]:
    """List the cards of an object."""
    return store.list_cards(tx, target)


def end_card(tx: Tx, card: Card) -> None:
    """Leave a card as it is from now on."""
    store.remove_card(tx, card)


def carded(tx: Tx) -> frozenset[str]:
    """Name the objects that have a card."""
    return store.carded(tx)


def _is_same(one: Watch, other: Watch) -> bool:
    return (one.target, one.channel, one.account, one.place) == (
        other.target,
        other.channel,
        other.account,
        other.place,
    )
