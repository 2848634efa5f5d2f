"""What a door needs in order to tail events; the hub of the process offers it."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple, Protocol

from core.events.model import EventFilter
from core.kernel.principal import Principal


class EventLine(NamedTuple):
    """An event's number and its JSON, encoded once for everybody who wants it."""

    seq: int
    body: bytes


class EventsGone(Exception):
    """Events after the wanted number are no longer kept; `first` is the oldest that is."""

    def __init__(self, first: int) -> None:
        super().__init__(f"events before {first} are no longer kept")
        self.first = first


class EventSource(Protocol):
    """Gives a principal the events of its tenant, old and new, without a gap."""

    async def newest(self, principal: Principal) -> int:
        """Return the number of the tenant's newest event; 0 when there is none."""

    def tail(
        self, principal: Principal, *, after: int, wanted: EventFilter
    ) -> AsyncIterator[Sequence[EventLine]]:
        """Yield the wanted events that follow `after`, for ever, at the reader's pace.

        Raises: EventsGone instead of leaving some out.
        """
