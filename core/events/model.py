"""Events as they are drafted inside a unit and as they are read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.kernel.clock import to_iso
from core.kernel.jsons import Json, canonical_json


@dataclass(slots=True, kw_only=True)
class EventDraft:
    """An event that its batch has not numbered yet; `seq` is 0 until then.

    Shape:  `cause` is the request that made it happen, "" for the gateway's own work.
    """

    type: str
    target: str
    actor: str
    channel: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)
    cause: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of the past.

    Shape:  `target` is the id of what it is about ("" if nothing); `details` is small.
            `cause` is the request that made it happen; it is not shown.
    """

    seq: int
    ts: datetime
    type: str
    actor: str
    channel: str
    target: str
    details: Mapping[str, Json]
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; empty sets do not restrict."""

    types: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


def is_wanted(event: Event, wanted: EventFilter) -> bool:
    """Tell whether an event passes a filter; the store's queries say the same."""
    return (
        (not wanted.types or event.type in wanted.types)
        and (not wanted.targets or event.target in wanted.targets)
        and (not wanted.actors or event.actor in wanted.actors)
        and (not wanted.channels or event.channel in wanted.channels)
    )


def view(event: Event) -> dict[str, Json]:
    """Show an event as JSON; `ts` in ISO 8601."""
    return {
        "seq": event.seq,
        "ts": to_iso(event.ts),
        "event": event.type,
        "actor": event.actor,
        "channel": event.channel,
        "target": event.target,
        "details": dict(event.details),
    }


def render_event_line(event: Event) -> bytes:
    """Render an event as one line of canonical JSON, with its newline."""
    return canonical_json(view(event)) + b"\n"
