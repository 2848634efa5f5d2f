"""Forget what has been kept long enough: old messages and deliveries, in small batches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Tx
from core.delivery.outbox.tables import outbox
from core.delivery.tables import inbox
from core.kernel.clock import to_micros

BATCH = 200


class Keep(NamedTuple):
    """How long what has ended is kept."""

    inbox: timedelta
    sent: timedelta
    dead: timedelta


class Expired(NamedTuple):
    """What has been kept long enough: keys of messages and of deliveries."""

    messages: Sequence[tuple[str, str, str, str]]
    deliveries: Sequence[str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.messages or self.deliveries)


_DONE_BEFORE = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.channel, inbox.c.account, inbox.c.sender, inbox.c.key)
    .where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.state == literal_column("'done'"),
        inbox.c.created_at < bindparam("before"),
    )
    .limit(bindparam("most"))
)
_ENDED_BEFORE = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.key)
    .where(
        outbox.c.tenant_id == bindparam("tenant"),
        outbox.c.state == bindparam("of_state"),
        outbox.c.created_at < bindparam("before"),
    )
    .limit(bindparam("most"))
)
_FORGET_MESSAGE = Prepared(
    inbox.delete().where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.channel == bindparam("of_channel"),
        inbox.c.account == bindparam("of_account"),
        inbox.c.sender == bindparam("of_sender"),
        inbox.c.key == bindparam("of_key"),
    )
)
_FORGET_DELIVERY = Prepared(
    outbox.delete().where(
        outbox.c.tenant_id == bindparam("tenant"),
        outbox.c.key == bindparam("of_key"),
        outbox.c.state != literal_column("'waiting'"),
    )
)


def find_expired(tx: Tx, keep: Keep) -> Expired:
    """Find a batch of what has been kept long enough; a read, as it may take a scan."""
    rows = tx.run(_DONE_BEFORE, before=_before(tx.now, keep.inbox), most=BATCH)
    ended = [
        row[0]
        for state, kept in (("sent", keep.sent), ("dead", keep.dead))
        for row in tx.run(
            _ENDED_BEFORE, of_state=state, before=_before(tx.now, kept), most=BATCH
        )
    ]
    return Expired(
        messages=[(row[0], row[1], row[2], row[3]) for row in rows], deliveries=ended
    )


def forget(tx: Tx, expired: Expired) -> None:
    """Delete what was found."""
    for channel, account, sender, key in expired.messages:
        tx.change(
            _FORGET_MESSAGE,
            of_channel=channel,
            of_account=account,
            of_sender=sender,
            of_key=key,
        )
    for key in expired.deliveries:
        tx.change(_FORGET_DELIVERY, of_key=key)


def _before(now: datetime, kept: timedelta) -> int:
    return to_micros(now - kept)
