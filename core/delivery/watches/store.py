"""Queries over watches and cards."""

from collections.abc import Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.delivery.watches.model import Card, Watch
from core.delivery.watches.tables import cards, watches
from core.kernel.clock import from_micros
from core.kernel.jsons import canonical_json

_OWN = watches.c.tenant_id == bindparam("tenant")
_OWN_CARD = cards.c.tenant_id == bindparam("tenant")
_WATCHES = watches.select().with_only_columns(
    watches.c.user_id,
    watches.c.target,
    watches.c.channel,
    watches.c.account,
    watches.c.place,
    watches.c.since_seq,
    watches.c.created_at,
)
_CARDS = cards.select().with_only_columns(
    cards.c.channel,
    cards.c.account,
    cards.c.conversation,
    cards.c.target,
    cards.c.place,
    cards.c.asked_by,
    cards.c.created_at,
    cards.c.since_seq,
)
_THIS_CARD = (
    _OWN_CARD,
    cards.c.channel == bindparam("of_channel"),
    cards.c.account == bindparam("of_account"),
    cards.c.conversation == bindparam("of_conversation"),
    cards.c.target == bindparam("of_target"),
)

_OF_PERSON = Prepared(
    _WATCHES.where(_OWN, watches.c.user_id == bindparam("of_user")).order_by(
        watches.c.created_at, watches.c.target, watches.c.channel
    )
)
_OF_TARGET = Prepared(
    _WATCHES.where(_OWN, watches.c.target == bindparam("of_target")).order_by(
        watches.c.created_at, watches.c.user_id, watches.c.channel
    )
)
_TARGETS = Prepared(
    watches.select().with_only_columns(watches.c.target).where(_OWN).distinct()
)
_REMOVE = Prepared(
    watches.delete().where(
        _OWN,
        watches.c.user_id == bindparam("of_user"),
        watches.c.target == bindparam("of_target"),
        watches.c.channel == bindparam("of_channel"),
        watches.c.account == bindparam("of_account"),
        watches.c.place == bindparam("of_place"),
    )
)
_CARD_TARGETS = Prepared(
    cards.select().with_only_columns(cards.c.target).where(_OWN_CARD).distinct()
)
_CARDS_OF = Prepared(
    _CARDS.where(_OWN_CARD, cards.c.target == bindparam("of_target")).order_by(
        cards.c.channel, cards.c.account, cards.c.conversation
    )
)
_REMOVE_CARD = Prepared(cards.delete().where(*_THIS_CARD))


def add(tx: Tx, watch: Watch) -> None:
    """Store a new watch."""
    tx.insert(
        watches,
        {
            "user_id": watch.user_id,
            "target": watch.target,
            "channel": watch.channel,
            "account": watch.account,
            "place": canonical_json(dict(watch.place)).decode(),
            "since_seq": watch.since_seq,
        },
    )


def remove(tx: Tx, watch: Watch) -> None:
    """Delete a watch."""
    tx.change(
        _REMOVE,
        of_user=watch.user_id,
        of_target=watch.target,
        of_channel=watch.channel,
        of_account=watch.account,
        of_place=canonical_json(dict(watch.place)).decode(),
    )


def list_of_person(tx: Tx, user_id: str) -> Sequence[Watch]:
    """List a person's watches, the oldest first."""
    return [_to_watch(row) for row in tx.run(_OF_PERSON, of_user=user_id)]


def list_of_target(tx: Tx, target: str) -> Sequence[Watch]:
    """List the watches of an object, the oldest first."""
    return [_to_watch(row) for row in tx.run(_OF_TARGET, of_target=target)]


def watched(tx: Tx) -> frozenset[str]:
    """Name the objects that somebody watches."""
    return frozenset(row[0] for row in tx.run(_TARGETS))


def put_card(tx: Tx, card: Card) -> None:
    """Make a message the card of its conversation and object, whichever was before."""
    remove_card(tx, card)
    tx.insert(
        cards,
        {
            "channel": card.channel,
            "account": card.account,
            "conversation": card.conversation,
            "target": card.target,
            "asked_by": card.by,
            "place": canonical_json(dict(card.place)).decode(),
            "since_seq": card.since_seq,
        },
    )


def remove_card(tx: Tx, card: Card) -> None:
    """Stop keeping a card up to date."""
    tx.change(
        _REMOVE_CARD,
        of_channel=card.channel,
        of_account=card.account,
        of_conversation=card.conversation,
        of_target=card.target,
    )


def list_cards(tx: Tx, target: str) -> Sequence[Card]:
    """List the cards of an object."""
    return [_to_card(row) for row in tx.run(_CARDS_OF, of_target=target)]


def carded(tx: Tx) -> frozenset[str]:
    """Name the objects that have a card."""
    return frozenset(row[0] for row in tx.run(_CARD_TARGETS))


def _to_watch(row: Row) -> Watch:
    user_id, target, channel, account, place, since_seq, created_at = row
    return Watch(
        user_id=user_id,
        target=target,
        channel=channel,
        account=account,
        place=orjson.loads(place),
        since_seq=since_seq,
        created_at=from_micros(created_at),
    )


def _to_card(row: Row) -> Card:
    channel, account, conversation, target, place, by, asked_at, since_seq = row
    return Card(
        channel=channel,
        account=account,
        conversation=conversation,
        target=target,
        place=orjson.loads(place),
        by=by,
        asked_at=from_micros(asked_at),
        since_seq=since_seq,
    )
