"""Append events, the only way one comes to be, and read them back."""

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database import Tx
from core.events import store
from core.events.log import render_human_log
from core.events.model import Event, EventDraft, EventFilter
from core.kernel.clock import to_micros
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.texts import require_line

EVERYTHING = EventFilter()
HUMAN_LOG_LIMIT = 1_000

RESERVED = frozenset(
    {
        "task_created",
        "task_changed",
        "status_changed",
        "note_added",
        "agent_changed",
        "reset",  # what a stream says when events are missing
    }
)
# What only happens by the queue, a job or a schedule, whatever follows the word.
RESERVED_FAMILIES = frozenset({"run", "worker", "job", "variant", "export", "schedule"})
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_LIMIT = 64
_TARGET_LIMIT = 200
_DETAILS_BYTES = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanLog:
    """Events told as Markdown, how many they are, and where to go on."""

    markdown: str
    count: int
    last_seq: int


def append(tx: Tx, event_type: str, *, target: str = "", **details: Json) -> EventDraft:
    """Append an event of this unit; it is numbered when the batch commits.

    Shape:  `event_type` is past tense (`task_created`), `details` small JSON values.
    """
    draft = EventDraft(
        type=event_type,
        target=target,
        actor=tx.principal.name,
        channel=tx.channel,
        cause=tx.cause,
        details=details,
    )
    tx.record(draft)
    return draft


def report(
    tx: Tx,
    event_type: str,
    *,
    target: str = "",
    details: Mapping[str, Json] | None = None,
) -> EventDraft:
    """Append an event that somebody outside tells us of.

    Shape:  the actor is the principal, whatever the details say.
    Units:  details hold at most 16 KiB of JSON.
    Raises: InvalidArgument when the name is not one, or is one by which the core records
            its own state: a forged one would spoil what is rebuilt from the events.
    """
    if len(event_type) > _NAME_LIMIT or not _NAME.fullmatch(event_type):
        raise InvalidArgument(
            f"{event_type[:_NAME_LIMIT]!r} is no name of an event",
            fix=["use lower-case words such as deploy_finished"],
            field="event",
        )
    if event_type in RESERVED or event_type.partition("_")[0] in RESERVED_FAMILIES:
        raise InvalidArgument(
            f"{event_type} is recorded by Opswire itself",
            fix=["use the command that makes it happen", "choose another name"],
            field="event",
        )
    require_line("target", target, limit=_TARGET_LIMIT, least=0)
    draft = EventDraft(
        type=event_type,
        target=target,
        actor=tx.principal.name,
        channel=tx.channel,
        cause=tx.cause,
        details=_checked(details or {}),
    )
    tx.record(draft)
    return draft


def list_after(
    tx: Tx, seq: int, wanted: EventFilter = EVERYTHING, *, limit: int = 100
) -> Sequence[Event]:
    """List wanted events that follow `seq`, in their order: a tail's next step.

    Shape:  fewer than `limit` of them means that the end was reached.
    """
    if wanted == EVERYTHING:
        return store.list_after(tx, seq, limit=limit)
    _require_storable(wanted)
    return store.list_wanted_after(tx, seq, wanted, limit=limit)


def list_last(
    tx: Tx, wanted: EventFilter = EVERYTHING, *, limit: int = 10
) -> Sequence[Event]:
    """List the last wanted events, in their order."""
    _require_storable(wanted)
    return store.list_last(tx, wanted, limit=limit)


def first_seq(tx: Tx) -> int:
    """Read the sequence number of the oldest kept event; 1 when there is none.

    A tail that resumes from a number below `first_seq - 1` has missed events.
    """
    return store.ends(tx)[0]


def last_seq(tx: Tx) -> int:
    """Read the sequence number of the newest event; 0 when there is none."""
    return tx.event_seq


def seq_before(tx: Tx, moment: datetime) -> int:
    """Find the number of the last event before a moment: `since` as a cursor.

    The sequence has no gap and grows with time, so a bisection needs no index on time.
    """
    first, last = store.ends(tx)
    numbers = range(first, last + 1)
    place = bisect_left(
        numbers, to_micros(moment), key=lambda seq: store.moment_of(tx, seq)
    )
    return first + place - 1


def human_log(
    tx: Tx, wanted: EventFilter = EVERYTHING, *, since: datetime, until: datetime
) -> HumanLog:
    """Tell the wanted events of a time in Markdown, at most 1,000 of them."""
    after, last = seq_before(tx, since), seq_before(tx, until)
    found = list_after(tx, after, wanted, limit=HUMAN_LOG_LIMIT)
    told = [event for event in found if event.seq <= last]
    return HumanLog(
        markdown=render_human_log(told),
        count=len(told),
        last_seq=told[-1].seq if told else after,
    )


def _require_storable(wanted: EventFilter) -> None:
    for name in ("types", "targets", "actors", "channels"):
        for text in getattr(wanted, name):
            require_line(name, text, limit=_TARGET_LIMIT, least=0)


def _checked(details: Mapping[str, Json]) -> Mapping[str, Json]:
    size = len(canonical_json(details))
    if size > _DETAILS_BYTES:
        raise InvalidArgument(
            f"the details have {size} bytes",
            fix=[f"use at most {_DETAILS_BYTES}"],
            field="details",
        )
    return details
