"""Queries over the outbox."""

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Tx
from core.delivery.outbox.model import OutboxDraft, OutboxState
from core.delivery.outbox.tables import outbox
from core.kernel.jsons import canonical_json
from core.kernel.outgoing import Lane

_OWN = outbox.c.tenant_id == bindparam("tenant")
# Written out, for only so can SQLite tell that its partial index fits.
_WAITS = outbox.c.state == literal_column("'waiting'")
_HAS = Prepared(
    outbox.select()
    .with_only_columns(outbox.c.number)
    .where(_OWN, outbox.c.key == bindparam("of"))
)
_DROP_PROGRESS = Prepared(
    outbox.delete().where(
        _OWN,
        _WAITS,
        outbox.c.channel == bindparam("of_channel"),
        outbox.c.account == bindparam("of_account"),
        outbox.c.subject == bindparam("of_subject"),
        outbox.c.place == bindparam("of_place"),
        outbox.c.lane == literal_column(str(Lane.PROGRESS.value)),
        outbox.c.claimed_until <= bindparam("now"),
    )
)


def has(tx: Tx, key: str) -> bool:
    """Tell whether something was posted under this key before."""
    return bool(tx.run(_HAS, of=key))


def add(tx: Tx, draft: OutboxDraft) -> None:
    """Store a new delivery, due now."""
    tx.insert(
        outbox,
        {
            "key": draft.key,
            "number": tx.head.next_number("D"),
            "channel": draft.channel,
            "account": draft.account,
            "place": canonical_json(dict(draft.place)).decode(),
            "lane": int(draft.lane),
            "subject": draft.subject,
            "body": draft.body,
            "state": OutboxState.WAITING.value,
            "attempts": 0,
            "due_at": tx.micros,
            "claimed_until": 0,
            "sent_at": 0,
            "error": "",
            "fix": "",
            "ref": "",
        },
    )


def drop_progress(tx: Tx, draft: OutboxDraft) -> int:
    """Delete progress about a subject that nobody is delivering just now."""
    return tx.change(
        _DROP_PROGRESS,
        of_channel=draft.channel,
        of_account=draft.account,
        of_subject=draft.subject,
        of_place=canonical_json(dict(draft.place)).decode(),
        now=tx.micros,
    )
