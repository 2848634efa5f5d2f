"""Append events; the only way one comes to be."""

from core.database import Tx
from core.events.model import EventDraft
from core.kernel.jsons import Json


def append(tx: Tx, event_type: str, *, target: str = "", **details: Json) -> EventDraft:
    """Append an event of this unit; it is numbered when the batch commits.

    Shape:  `event_type` is past tense (`task_created`), `details` small JSON values.
    """
    draft = EventDraft(
        type=event_type, target=target, actor=tx.principal.name, channel=tx.channel,
        details=details,
    )
    tx.record(draft)
    return draft
