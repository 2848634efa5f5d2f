"""Tells people of what they watch, and keeps the cards in conversations up to date."""

from dataclasses import replace

from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft
from core.delivery.watches import service as watches
from core.delivery.watches.model import Card, Watch
from core.events.model import Event, EventFilter
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import Assurance
from core.kernel.problems import NotFound
from core.kernel.reply import Reply
from core.kernel.sanitise import sanitise_reply
from gateway.news import QUIET, News, card_of, news_of, scope_of
from gateway.run_news import tells


class Watchers:
    """The consumer that tells of events to whoever watches their object.

    Shape:  nobody is told of what they did themselves on that channel. A watch ends
            with its object, and when its person may not see the object any more.
    """

    name = "watches"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want the events of what is watched."""
        targets = watches.watched(tx)
        return EventFilter(targets=targets) if targets else None

    def react(self, tx: Tx, event: Event) -> None:
        """Post the news to everybody who watches."""
        if event.type in QUIET:
            return
        news = news_of(tx, event)
        for watch in watches.list_of(tx, event.target):
            user = _find_user(tx, watch)
            if user is None:
                watches.end(tx, watch)
                continue
            if event.seq > watch.since_seq and not _is_told(tx, event, watch, user):
                outbox.post(tx, _to_watcher(tx, watch, news))
            if news.is_last:
                watches.end(tx, watch)


class Cards:
    """The consumer that edits a conversation's message about an object as that changes."""

    name = "cards"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want the events of what has a card."""
        targets = watches.carded(tx)
        return EventFilter(targets=targets) if targets else None

    def react(self, tx: Tx, event: Event) -> None:
        """Post the new state to each card; one that is final is left as it is then."""
        if event.type in QUIET:
            return
        for card in watches.list_cards(tx, event.target):
            if card.is_told_of(seq=event.seq, ts=event.ts, actor=event.actor):
                continue
            news = card_of(tx, event)
            outbox.post(tx, _to_card(tx, card, news))
            if news.is_last:
                watches.end_card(tx, card)


def _find_user(tx: Tx, watch: Watch) -> User | None:
    """Find who watches, if they may still see what they watch."""
    try:
        user = users.get_(tx, watch.user_id)
    except NotFound:
        return None
    may_see = to_principal(user, Assurance.SENDER).may(scope_of(watch.target))
    return user if user.is_active and may_see else None


def _is_told(tx: Tx, event: Event, watch: Watch, user: User) -> bool:
    """Whether somebody did it themselves there, or asked for it and is told anyway."""
    if event.actor == user.name and event.channel == watch.channel:
        return True
    return tells(
        tx, event, user_id=user.id, channel=watch.channel, account=watch.account
    )


def _to_watcher(tx: Tx, watch: Watch, news: News) -> OutboxDraft:
    """Address news: what is final is a message of its own, the rest one that changes."""
    reply = _completed(tx, news.reply, channel=watch.channel)
    return OutboxDraft(
        key=reply.id,
        channel=watch.channel,
        account=watch.account,
        place=watch.place,
        body=to_json(reply).decode(),
        lane=Lane.FINALS if news.is_last else Lane.PROGRESS,
        subject=f"watch:{watch.user_id}:{watch.target}:{watch.since_seq}",
        appearance=Appearance.NEW if news.is_last else Appearance.EDIT,
    )


def _to_card(tx: Tx, card: Card, news: News) -> OutboxDraft:
    reply = _completed(tx, news.reply, channel=card.channel)
    return OutboxDraft(
        key=reply.id,
        channel=card.channel,
        account=card.account,
        place=card.place,
        body=to_json(reply).decode(),
        lane=Lane.FINALS if news.is_last else Lane.PROGRESS,
        subject=card.subject,
        appearance=Appearance.EDIT_ONLY,
    )


def _completed(tx: Tx, reply: Reply, *, channel: str) -> Reply:
    """Give news an id of its own, under which its buttons can be pressed."""
    return sanitise_reply(
        replace(reply, id=tx.new_token("rp"), actor=tx.principal.name, channel=channel)
    )
