"""What was last shown and touched in a conversation, per person."""

from collections.abc import Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Tx
from core.delivery.model import Memory
from core.delivery.tables import conversations
from core.kernel.jsons import canonical_json

_WHERE = (
    conversations.c.tenant_id == bindparam("tenant"),
    conversations.c.channel == bindparam("channel"),
    conversations.c.account == bindparam("account"),
    conversations.c.conversation == bindparam("conversation"),
    conversations.c.sender == bindparam("sender"),
)
_FIND = Prepared(
    conversations.select()
    .with_only_columns(
        conversations.c.last_id, conversations.c.listed_ids, conversations.c.more_line,
        conversations.c.reply_id,
    )
    .where(*_WHERE)
)
_SAVE = Prepared(
    conversations.update()
    .where(*_WHERE)
    .values({
        name: bindparam(f"new_{name}")
        for name in ("last_id", "listed_ids", "more_line", "reply_id", "updated_at")
    })
)

Place = tuple[str, str, str, str]


def recall(tx: Tx, place: Place) -> Memory:
    """Read what a person's conversation remembers; empty when it is new.

    Shape:  `place` is (channel, account, conversation, sender).
    """
    rows = tx.run(_FIND, **_named(place))
    if not rows:
        return Memory()
    last_id, listed, more_line, reply_id = rows[0]
    return Memory(
        last_id=last_id, listed_ids=tuple(orjson.loads(listed)), more_line=more_line,
        reply_id=reply_id,
    )


def remember(tx: Tx, place: Place, memory: Memory) -> None:
    """Replace what a person's conversation remembers."""
    values = {
        "last_id": memory.last_id,
        "listed_ids": canonical_json(list(memory.listed_ids)).decode(),
        "more_line": memory.more_line,
        "reply_id": memory.reply_id,
        "updated_at": tx.micros,
    }
    changes = {f"new_{name}": value for name, value in values.items()}
    if not tx.change(_SAVE, **_named(place), **changes):
        tx.insert(conversations, {**_named(place), **values})


def _named(place: Sequence[str]) -> dict[str, object]:
    channel, account, conversation, sender = place
    return {
        "channel": channel, "account": account, "conversation": conversation,
        "sender": sender,
    }
