"""Tells people that nothing more is sent for a subscription of theirs, and why."""

from commands import blocks
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Appearance, OutboxDraft
from core.events.model import Event, EventFilter
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import Subscription
from core.identity.users import service as users
from core.kernel.jsons import to_json
from core.kernel.reply import SUMMARY_LIMIT, Reply
from core.kernel.sanitise import sanitise_reply
from gateway.readers import Reader, readers_of


class SubscriptionNotices:
    """The consumer that tells whoever made a subscription that it was disabled.

    Shape:  they are told at each account that they have linked, unless they did it
            themselves; what was deleted or enabled meanwhile is not worth telling.
    """

    name = "subscription-notices"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want what disables one."""
        return EventFilter(types=frozenset({"subscription_disabled"}))

    def react(self, tx: Tx, event: Event) -> None:
        """Post the news to its creator.

        Raises: NotFound when it was deleted.
        """
        found = subscriptions.get_(tx, event.target)
        creator = users.get_(tx, found.creator_id)
        if found.is_enabled or event.actor == creator.name:
            return
        for reader in readers_of(tx, creator.id):
            outbox.post(tx, _to_reader(tx, found, reader))


def _to_reader(tx: Tx, found: Subscription, reader: Reader) -> OutboxDraft:
    reply = sanitise_reply(
        Reply(
            id=tx.new_token("rp"),
            summary=f"{found.id} ({found.name}) is disabled: {found.reason}"[
                :SUMMARY_LIMIT
            ],
            actor=tx.principal.name,
            channel=reader.channel,
            blocks=(
                blocks.fields(
                    ("subscription", f"{found.id} {found.name}"),
                    ("sent to", found.url),
                    ("reason", found.reason),
                    ("fix", "mend the receiver, enable it, redeliver what failed"),
                ),
                blocks.actions(
                    ("Deliveries", f"subscription deliveries {found.id}"),
                    ("Enable", f"subscription enable {found.id}"),
                ),
            ),
            data={"id": found.id, "name": found.name, "reason": found.reason},
        )
    )
    return OutboxDraft(
        key=reply.id,
        channel=reader.channel,
        account=reader.account,
        place={**reader.place, "this": found.id},
        body=to_json(reply).decode(),
        subject=f"subscription:{found.id}:{reader.person_id}",
        appearance=Appearance.NEW,
    )
