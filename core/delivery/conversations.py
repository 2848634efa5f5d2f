"""What was last shown and touched in a conversation, per person."""

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Head, Prepared, Tx
from core.delivery.model import Memory, MemoryDraft, Place
from core.delivery.tables import conversations
from core.kernel.clock import Micros
from core.kernel.jsons import canonical_json

_FIND = Prepared(
    conversations.select()
    .with_only_columns(
        conversations.c.last_id,
        conversations.c.listed_ids,
        conversations.c.more_line,
        conversations.c.reply_id,
    )
    .where(
        conversations.c.tenant_id == bindparam("tenant"),
        conversations.c.channel == bindparam("of_channel"),
        conversations.c.account == bindparam("of_account"),
        conversations.c.conversation == bindparam("of_conversation"),
        conversations.c.sender == bindparam("of_sender"),
    )
)


class MemoryRecorder:
    """Writes what the conversations of a batch remember, one row for each.

    Shape:  what a draft leaves None stays as it was, so that no command has to read
            its conversation before it writes.
    """

    draft = MemoryDraft
    table = conversations
    merges = ("last_id", "listed_ids", "more_line", "reply_id", "updated_at")

    def rows(
        self, head: Head, drafts: Sequence[MemoryDraft], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        """Fold the drafts of each place into one row."""
        folded: dict[Place, MemoryDraft] = {}
        for draft in drafts:
            known = folded.get(draft.place)
            folded[draft.place] = known.then(draft) if known else draft
        return [_row(head, draft, now) for draft in folded.values()]


def recall(tx: Tx, place: Place) -> Memory:
    """Read what a person's conversation remembers; empty when it is new.

    Shape:  also what this unit has drafted, for the lines of one mail are one unit.
    """
    memory = _stored(tx, place)
    for draft in tx.drafts:
        if isinstance(draft, MemoryDraft) and draft.place == place:
            memory = memory.then(draft)
    return memory


def _stored(tx: Tx, place: Place) -> Memory:
    channel, account, conversation, sender = place
    rows = tx.run(
        _FIND,
        of_channel=channel,
        of_account=account,
        of_conversation=conversation,
        of_sender=sender,
    )
    if not rows:
        return Memory()
    last_id, listed, more_line, reply_id = rows[0]
    return Memory(
        last_id=last_id or "",
        listed_ids=tuple(orjson.loads(listed)) if listed else (),
        more_line=more_line or "",
        reply_id=reply_id or "",
    )


def _row(head: Head, draft: MemoryDraft, now: Micros) -> Mapping[str, object]:
    channel, account, conversation, sender = draft.place
    listed = draft.listed_ids
    return {
        "tenant_id": head.tenant,
        "channel": channel,
        "account": account,
        "conversation": conversation,
        "sender": sender,
        "last_id": draft.last_id,
        "listed_ids": None if listed is None else canonical_json(list(listed)).decode(),
        "more_line": draft.more_line,
        "reply_id": draft.reply_id,
        "updated_at": now,
        "created_at": now,
    }
