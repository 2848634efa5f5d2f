"""Events as they are drafted inside a unit and as they are read back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from core.kernel.jsons import Json


@dataclass(slots=True, kw_only=True)
class EventDraft:
    """An event that its batch has not numbered yet; `seq` is 0 until then."""

    type: str
    target: str
    actor: str
    channel: str = ""
    details: Mapping[str, Json] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact of the past.

    Shape:  `target` is the id of what it is about ("" if nothing); `details` is small.
    """

    seq: int
    ts: datetime
    type: str
    actor: str
    channel: str
    target: str
    details: Mapping[str, Json]
