"""The hub of live events: each tenant's are read once, for all who follow them.

A follower is a place in the event table, not a queue. While it keeps up, what follows
its place comes from a ring that all followers of the tenant share; once it has fallen
behind the ring, from the database, at its own pace. So a slow one costs nothing.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import NamedTuple

from core.database import Database, Tx
from core.events import service as events
from core.events.model import EventFilter
from core.kernel.principal import Principal, TenantId, system
from gateway.bell import Bell
from gateway.event_ring import Batch, Entry, EventRing, batch_of, to_entry
from gateway.event_source import EventLine, EventsGone

Since = int | datetime | None

_PAGE = 500
_LOOK_BACK_PAGE = 128
_LOOK_BACKS = 4
_IDLE_SECONDS = 30.0
_FLOOD_READS = 4
_FLOOD_SECONDS = 0.02


class Feed:
    """One tenant's live events and the places of those who follow them."""

    def __init__(self, tenant: TenantId, tip: int) -> None:
        self.tenant = tenant
        self.ring = EventRing(tip)
        self.tails: set[Tail] = set()
        self.read_at = 0.0

    def spread(self) -> None:
        """Wake everybody; each takes what it wants itself."""
        for tail in self.tails:
            tail.bell.ring()


class Gap(NamedTuple):
    """The numbers of the oldest and the newest event that are there."""

    first: int
    last: int


class Tail:
    """One follower: its place, what it wants, and a bell that rings when there is more.

    `gap` is set when events that were to come next are not there; the place is then
    the one after the gap. Who has told of it sets it to None again.
    """

    def __init__(
        self,
        hub: "Tails",
        principal: Principal,
        wanted: EventFilter,
        *,
        bell: Bell,
    ) -> None:
        self.principal = principal
        self.wanted = wanted
        self.bell = bell
        self.place = 0
        self.gap: Gap | None = None
        self._hub = hub
        self._feed: Feed | None = None

    def join(self, feed: Feed, place: int) -> None:
        """Follow a feed from a place on."""
        self._feed = feed
        self.place = place
        feed.tails.add(self)

    async def take(self) -> Batch:
        """Take what follows, at most 64 KiB.

        Shape:  empty when nothing more is wanted up to the end, or there is a gap.
        Raises: Unavailable.
        """
        feed = self._feed
        assert feed is not None
        while True:
            batch = feed.ring.after(self.place, self.wanted)
            if batch is None:
                first, batch = await self._hub.look_back(self)
                if first > self.place + 1:
                    self.gap = Gap(first, feed.ring.tip)
                    batch = Batch((), last=first - 1)
            self.place = batch.last
            if batch.entries or self.gap or self.place >= feed.ring.tip:
                return batch


class Tails:
    """Reads new events of tenants that somebody follows, and wakes the followers.

    Shape:  a commit of this process is heard at once, one of another process within
            `poll`. Under a flood the events of 20 ms are read and spread together.
    """

    def __init__(self, db: Database, *, poll: timedelta) -> None:
        self._db = db
        self._poll_seconds = poll.total_seconds()
        self._feeds: dict[TenantId, Feed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self._changed: set[TenantId] = set()
        self._changed_lock = threading.Lock()
        self._look_backs = asyncio.Semaphore(_LOOK_BACKS)
        self._last_reads: deque[float] = deque(maxlen=_FLOOD_READS)
        self._is_closed = False
        db.on_commit(self._hear)

    @contextmanager
    def following(
        self, principal: Principal, wanted: EventFilter, *, bell: Bell
    ) -> Iterator[Tail]:
        """Hold a follower's place; it is followed from `begin` on."""
        tail = Tail(self, principal, _the_one(wanted), bell=bell)
        try:
            yield tail
        finally:
            self._leave(tail)

    async def begin(self, tail: Tail, since: Since) -> None:
        """Put a follower at its place: after a number, at a moment, or at the end (None).

        Shape:  where the events wanted first are not there, `tail.gap` says so and the
                place is after the gap: before the oldest kept event, or at the end for
                a number that was never given.
        Raises: Unavailable.
        """
        self._loop = asyncio.get_running_loop()
        after, gap = await self._db.read(
            lambda tx: _stand(tx, since), by=tail.principal
        )
        if not gap.first - 1 <= after <= gap.last:
            tail.gap = gap
            after = gap.first - 1 if after < gap.first else gap.last
        tenant = tail.principal.tenant
        feed = self._feeds.get(tenant)
        if feed is None:
            feed = self._feeds[tenant] = Feed(tenant, gap.last)
            # What was committed since it was looked was heard by nobody.
            self._hear({tenant})
        tail.join(feed, after)

    async def look_back(self, tail: Tail) -> tuple[int, Batch]:
        """Read what follows a place that the ring has left behind.

        Shape:  the number of the oldest kept event, and the batch. Only a few read at
                a time, so that many who come back at once leave readers to others.
        Raises: Unavailable.
        """
        place, wanted = tail.place, tail.wanted
        async with self._look_backs:
            return await self._db.read(
                lambda tx: _look_back(tx, place, wanted), by=tail.principal
            )

    # ── what other doors follow (`EventSource`) ───────────────────────────────
    async def newest(self, principal: Principal) -> int:
        """Return the number of the tenant's newest event; 0 when there is none."""
        return await self._db.read(events.last_seq, by=principal)

    async def tail(
        self, principal: Principal, *, after: int, wanted: EventFilter
    ) -> AsyncGenerator[Sequence[EventLine]]:
        """Yield the wanted events that follow `after`, until the hub closes.

        Raises: EventsGone instead of leaving some out; Unavailable.
        """
        bell = Bell()
        with self.following(principal, wanted, bell=bell) as tail:
            await self.begin(tail, after)
            while not self._is_closed:
                batch = await tail.take()
                if tail.gap is not None:
                    raise EventsGone(tail.gap.first)
                if batch.entries:
                    yield batch.lines
                elif not self._is_closed:
                    await bell.wait()

    # ── the one reader ────────────────────────────────────────────────────────
    async def pump(self) -> None:
        """Wait for news, read and spread them; a ticker repeats this without a pause.

        Raises: Unavailable; the followers then wait until it works again.
        """
        changed = await self._wait_for_news()
        await self._slow_down()
        now = time.monotonic()
        for feed in list(self._feeds.values()):
            is_due = now - feed.read_at >= self._poll_seconds
            if feed.tenant in changed or is_due:
                await self._read(feed)

    def close(self) -> None:
        """Let go of everybody who follows."""
        self._is_closed = True
        for feed in self._feeds.values():
            feed.spread()

    async def _wait_for_news(self) -> set[TenantId]:
        seconds = self._poll_seconds if self._feeds else _IDLE_SECONDS
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return set()
        self._news.clear()
        with self._changed_lock:
            changed, self._changed = self._changed, set()
        return changed

    async def _slow_down(self) -> None:
        """Let the events of a flood gather, so that many leave in one write."""
        reads = self._last_reads
        if len(reads) == reads.maxlen:
            await asyncio.sleep(max(0.0, reads[0] + _FLOOD_SECONDS - time.monotonic()))
        reads.append(time.monotonic())

    async def _read(self, feed: Feed) -> None:
        """Read a feed to its end, page by page, and wake its followers after each."""
        by = system(feed.tenant)
        feed.read_at = time.monotonic()
        is_more = True
        while is_more:
            page = await self._db.read(partial(_page, after=feed.ring.tip), by=by)
            is_more = len(page) == _PAGE
            if page:
                feed.ring.extend(page)
                feed.spread()

    def _hear(self, tenants: set[TenantId]) -> None:
        """Note, on the writer's thread, that a commit changed these tenants."""
        loop = self._loop
        if loop is None or not any(tenant in self._feeds for tenant in tenants):
            return
        with self._changed_lock:
            is_told = bool(self._changed)
            self._changed |= tenants
        if not is_told and not loop.is_closed():
            loop.call_soon_threadsafe(self._news.set)

    def _leave(self, tail: Tail) -> None:
        feed = self._feeds.get(tail.principal.tenant)
        if feed is not None:
            feed.tails.discard(tail)
            if not feed.tails:
                del self._feeds[feed.tenant]


@lru_cache(maxsize=256)
def _the_one(wanted: EventFilter) -> EventFilter:
    """Give equal filters as one object, which the ring finds again without comparing."""
    return wanted


def _stand(tx: Tx, since: Since) -> tuple[int, Gap]:
    """Turn `since` into the number before the first wanted event."""
    there = Gap(events.first_seq(tx), events.last_seq(tx))
    if since is None:
        return there.last, there
    if isinstance(since, datetime):
        return events.seq_before(tx, since), there
    return since, there


def _page(tx: Tx, *, after: int) -> Sequence[Entry]:
    return [to_entry(event) for event in events.list_after(tx, after, limit=_PAGE)]


def _look_back(tx: Tx, place: int, wanted: EventFilter) -> tuple[int, Batch]:
    """Read a batch after a place, and the number of the oldest kept event."""
    found = events.list_after(tx, place, wanted, limit=_LOOK_BACK_PAGE)
    end = found[-1].seq if len(found) == _LOOK_BACK_PAGE else events.last_seq(tx)
    return events.first_seq(tx), batch_of(map(to_entry, found), wanted, end=end)
