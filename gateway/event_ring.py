"""The newest events of one tenant, encoded once and shared by everybody who reads."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from core.events.model import Event, EventFilter, is_wanted, render_event_line
from gateway.event_source import EventLine

MOST_EVENTS = 2_048
MOST_BYTES = 4 * 1_048_576
BATCH_BYTES = 65_536
_MOST_SHARED = 64


class Entry(NamedTuple):
    """An event, its JSON, and the same as a message of an event stream.

    Shape:  the event is there to be matched with filters and has no details any more;
            they would take several times the room of the JSON.
    """

    event: Event
    line: EventLine
    message: bytes


class Batch:
    """Entries that follow a reader's place, and `last`, the place after them."""

    def __init__(self, entries: Sequence[Entry], *, last: int) -> None:
        self.entries = entries
        self.last = last

    @cached_property
    def messages(self) -> bytes:
        """All entries as one piece of an event stream."""
        return b"".join(entry.message for entry in self.entries)

    @cached_property
    def lines(self) -> Sequence[EventLine]:
        """All entries as numbered JSON."""
        return [entry.line for entry in self.entries]


class EventRing:
    """Keeps a tenant's newest events; who has fallen further behind asks the database.

    Shape:  the numbers in it have no gap; `tip` is the newest event's, known even
            while the ring is empty.
    Units:  at most 2,048 events and 4 MiB; a batch has at most 64 KiB, or one event.
    """

    def __init__(
        self, tip: int, *, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES
    ) -> None:
        self.tip = tip
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._mark = tip
        self._shared: dict[EventFilter, Batch] = {}

    def extend(self, entries: Iterable[Entry]) -> None:
        """Take in the events that follow the tip.

        Shape:  if some were removed before they were read here, what came before them
                is forgotten, so that nobody passes over the hole without noticing.
        """
        self._mark = self.tip
        self._shared.clear()
        for entry in entries:
            if entry.line.seq != self.tip + 1:
                self._forget_all()
            self._entries.append(entry)
            self._bytes += _size(entry)
            self.tip = entry.line.seq
        while self._is_full():
            self._bytes -= _size(self._entries.popleft())

    def after(self, place: int, wanted: EventFilter) -> Batch | None:
        """Return what follows a place, None when that is no longer all in the ring."""
        behind = self.tip - place
        if behind > len(self._entries):
            return None
        if place != self._mark or behind <= 0:
            return self._batch(place, wanted)
        # Readers who keep up all stand at the same place: one batch serves them.
        batch = self._shared.get(wanted)
        if batch is None:
            batch = self._batch(place, wanted)
            if len(self._shared) < _MOST_SHARED:
                self._shared[wanted] = batch
        return batch

    def _batch(self, place: int, wanted: EventFilter) -> Batch:
        size = len(self._entries)
        begin = size - max(0, self.tip - place)
        following = (self._entries[index] for index in range(begin, size))
        return batch_of(following, wanted, end=max(place, self.tip))

    def _forget_all(self) -> None:
        self._entries.clear()
        self._bytes = 0

    def _is_full(self) -> bool:
        return len(self._entries) > self._most_events or self._bytes > self._most_bytes


def batch_of(following: Iterable[Entry], wanted: EventFilter, *, end: int) -> Batch:
    """Gather wanted entries until 64 KiB are full; `end` is where all of them end."""
    entries: list[Entry] = []
    size = 0
    for entry in following:
        if not is_wanted(entry.event, wanted):
            continue
        entries.append(entry)
        size += len(entry.message)
        if size >= BATCH_BYTES:
            return Batch(entries, last=entry.line.seq)
    return Batch(entries, last=end)


def to_entry(event: Event) -> Entry:
    """Encode an event."""
    line = EventLine(event.seq, render_event_line(event)[:-1])
    message = b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.seq,
        event.type.encode(),
        line.body,
    )
    return Entry(replace(event, details={}), line, message)


def _size(entry: Entry) -> int:
    return len(entry.line.body) + len(entry.message)
