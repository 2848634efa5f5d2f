"""What the courier of webhooks needs of the database: who is told, and how it went."""

from channels.base import Attempt as Seen
from channels.base import Parcel, Postponed, Undeliverable
from channels.webhook.courier import Receiver, fix_for
from core.database import Database, Tx
from core.delivery.outbox.model import Outgoing
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import Attempt
from core.kernel.principal import system
from core.kernel.problems import IllegalMove, NotFound, Unavailable
from core.secrets.vault import Vault


class StoredReceivers:
    """Looks a subscription up for each delivery, so that a change counts at once."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db = db
        self._vault = vault

    async def find(self, parcel: Parcel) -> Receiver:
        """Find where to send, and what to sign with.

        Raises: Undeliverable when the subscription is disabled or was deleted;
                Postponed when the database or the keystore does not answer.
        """
        try:
            found = await self._db.read(
                lambda tx: subscriptions.receiver_of(
                    tx, parcel.account, vault=self._vault
                ),
                by=system(parcel.tenant, name="postman"),
            )
        except NotFound as absent:
            raise Undeliverable(
                f"{parcel.account} was deleted", fix="subscription list"
            ) from absent
        except IllegalMove as disabled:
            raise Undeliverable(
                disabled.detail, fix=fix_for(parcel.account)
            ) from disabled
        except Unavailable as outage:
            raise Postponed(outage.detail) from outage
        return Receiver(url=found.url, keys=found.keys)


def note_attempt(tx: Tx, outgoing: Outgoing, seen: Seen) -> None:
    """Keep what one try looked like, in the unit that settles its delivery."""
    attempt = Attempt(
        key=outgoing.key,
        attempt=outgoing.attempts,
        status=seen.status,
        took_ms=seen.took_ms,
        answer=seen.answer,
        error=seen.error,
        tried_at=seen.tried_at,
    )
    subscriptions.note_attempt(tx, outgoing.account, attempt)
