"""Numbers the events of a batch from the tenant's locked head."""

from collections.abc import Mapping, Sequence

from core.database import Head
from core.events.model import EventDraft
from core.events.tables import events
from core.kernel.clock import Micros
from core.kernel.jsons import canonical_json


class EventRecorder:
    """Writes events in the order they were appended; the sequence has no gap.

    An autoincrement id would not do: ids commit out of order, and a tail that resumes
    from the last one misses the late ones.
    """

    draft = EventDraft
    table = events
    merges = ()

    def rows(
        self, head: Head, drafts: Sequence[EventDraft], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        """Give each draft the next sequence number and return the rows."""
        rows = []
        for draft in drafts:
            head.event_seq += 1
            draft.seq = head.event_seq
            rows.append(
                {
                    "tenant_id": head.tenant,
                    "seq": draft.seq,
                    "type": draft.type,
                    "actor": draft.actor,
                    "channel": draft.channel,
                    "target": draft.target,
                    "details": canonical_json(draft.details).decode(),
                    "cause": draft.cause,
                    "created_at": now,
                }
            )
        return rows
