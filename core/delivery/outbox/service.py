"""Post something to be delivered, in the unit that causes it."""

from core.database import Tx
from core.delivery.outbox import store
from core.delivery.outbox.model import OutboxDraft


def post(tx: Tx, draft: OutboxDraft) -> None:
    """Have something delivered once this unit has committed, and not if it fails.

    Shape:  the same key again changes nothing. What is still waiting of a subject's
            progress gives way to anything newer about it, so that only the newest
            state is told and a final is never behind it.
    """
    if store.has(tx, draft.key):
        return
    if draft.subject:
        store.drop_progress(tx, draft)
    store.add(tx, draft)
