"""Forget what has been kept long enough: old messages and deliveries, in small batches."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select

from core.database import Prepared, Tx
from core.delivery.outbox.tables import outbox
from core.delivery.tables import inbox
from core.kernel.clock import to_micros

BATCH = 200

# A mailbox may hand in everything again, however old: what a mail was is forgotten, and
# that it was is not.
_REMEMBERED = frozenset({"email"})


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


# The oldest first, along an index, and only a batch of them is looked at: what is too
# old is found without reading everything that is not. A reply's id begins with its time.
_oldest_done = (
    inbox.select()
    .with_only_columns(
        inbox.c.channel,
        inbox.c.account,
        inbox.c.sender,
        inbox.c.key,
        inbox.c.created_at,
    )
    .where(
        inbox.c.tenant_id == bindparam("tenant"),
        inbox.c.state == literal_column("'done'"),
        inbox.c.reply != literal_column("''"),
    )
    .order_by(inbox.c.reply_id)
    .limit(bindparam("most"))
    .subquery("oldest")
)
_DONE_BEFORE = Prepared(
    select(
        _oldest_done.c.channel,
        _oldest_done.c.account,
        _oldest_done.c.sender,
        _oldest_done.c.key,
    ).where(_oldest_done.c.created_at < bindparam("before"))
)


_oldest_sent = (
    outbox.select()
    .with_only_columns(outbox.c.key, outbox.c.created_at)
    .where(
        outbox.c.tenant_id == bindparam("tenant"),
        literal_column("state IN ('sent', 'skipped')"),
    )
    .order_by(outbox.c.number)
    .limit(bindparam("most"))
    .subquery("oldest")
)
_SENT_BEFORE = Prepared(
    select(_oldest_sent.c.key).where(_oldest_sent.c.created_at < bindparam("before"))
)
# These are few, and have an index of their own.
_DEAD_BEFORE = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.key)
    .where(
        outbox.c.tenant_id == bindparam("tenant"),
        outbox.c.state == literal_column("'dead'"),
        outbox.c.created_at < bindparam("before"),
    )
    .limit(bindparam("most"))
)
_THIS = (
    inbox.c.tenant_id == bindparam("tenant"),
    inbox.c.channel == bindparam("of_channel"),
    inbox.c.account == bindparam("of_account"),
    inbox.c.sender == bindparam("of_sender"),
    inbox.c.key == bindparam("of_key"),
)
_FORGET_MESSAGE = Prepared(inbox.delete().where(*_THIS))
_EMPTY_MESSAGE = Prepared(inbox.update().where(*_THIS).values(payload="", reply=""))
_FORGET_DELIVERY = Prepared(
    outbox.delete().where(
        outbox.c.tenant_id == bindparam("tenant"),
        outbox.c.key == bindparam("of_key"),
        outbox.c.state != literal_column("'waiting'"),
    )
)


def find_expired(tx: Tx, keep: Keep) -> Expired:
    """Find a batch of what has been kept long enough, the oldest first."""
    rows = tx.run(_DONE_BEFORE, before=_before(tx.now, keep.inbox), most=BATCH)
    sent = tx.run(_SENT_BEFORE, before=_before(tx.now, keep.sent), most=BATCH)
    dead = tx.run(_DEAD_BEFORE, before=_before(tx.now, keep.dead), most=BATCH)
    return Expired(
        messages=[(row[0], row[1], row[2], row[3]) for row in rows],
        deliveries=[row[0] for row in (*sent, *dead)],
    )


def forget(tx: Tx, expired: Expired) -> None:
    """Delete what was found; of a mail its key stays, so that it never runs again."""
    for channel, account, sender, key in expired.messages:
        tx.change(
            _EMPTY_MESSAGE if channel in _REMEMBERED else _FORGET_MESSAGE,
            of_channel=channel,
            of_account=account,
            of_sender=sender,
            of_key=key,
        )
    for key in expired.deliveries:
        tx.change(_FORGET_DELIVERY, of_key=key)


def _before(now: datetime, kept: timedelta) -> int:
    return to_micros(now - kept)
