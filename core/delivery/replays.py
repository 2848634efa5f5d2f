"""The stored replies of one session, read again for a client that was cut off."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam

from core.database import Prepared, Tx
from core.delivery.model import InboxState
from core.delivery.tables import inbox


class StoredReply(NamedTuple):
    """A reply as JSON, its inbox number, and the key of the message it answers."""

    seq: int
    key: str
    reply: str


class Place(NamedTuple):
    """One sender's conversation on a channel."""

    channel: str
    sender: str
    conversation: str


def list_replies(
    tx: Tx, place: Place, *, since: int, limit: int
) -> Sequence[StoredReply]:
    """List a conversation's replies from number `since` (included), oldest first."""
    rows = tx.run(_SINCE, **place._asdict(), since=since, limit=limit)
    return [StoredReply(*row) for row in rows]


def newest_seq(tx: Tx, place: Place) -> int:
    """Read the number of a conversation's newest reply; 0 when it has none."""
    rows = tx.run(_NEWEST, **place._asdict())
    return int(rows[0][0]) if rows else 0


_OF_PLACE = (
    inbox.c.tenant_id == bindparam("tenant"),
    inbox.c.conversation == bindparam("conversation"),
    inbox.c.channel == bindparam("channel"),
    inbox.c.sender == bindparam("sender"),
    inbox.c.state == InboxState.DONE.value,
)
_SINCE = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.seq, inbox.c.key, inbox.c.reply)
    .where(*_OF_PLACE, inbox.c.seq >= bindparam("since"))
    .order_by(inbox.c.seq)
    .limit(bindparam("limit"))
)
_NEWEST = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.seq)
    .where(*_OF_PLACE)
    .order_by(inbox.c.seq.desc())
    .limit(1)
)
