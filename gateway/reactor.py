"""Has consumers react to events, each to each event once, however many gateways run.

A reaction is one unit: its effect and the consumer's cursor commit together, so a crash
can neither lose nor repeat one.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from core.database import Database, Tx
from core.delivery import cursors
from core.events import service as events
from core.events.model import Event, EventFilter
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Problem, Unavailable
from gateway.bell import Bell

POLL_SECONDS = 1.0
BATCH = 100

# How far a cursor may lag behind events that its consumer did not want.
_LAG = 1_000
_SHORTEST_REST_SECONDS = 0.2

_log = logging.getLogger(__name__)

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]


class Consumer(Protocol):
    """Reacts to some events of a tenant."""

    @property
    def name(self) -> str:
        """The name of its cursor."""

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Tell which events it wants now; None while it wants none at all."""

    def react(self, tx: Tx, event: Event) -> None:
        """Have the effect of one event, in the unit that also moves the cursor.

        Raises: a Problem when there is none to be had; the event is then passed over.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What follows a place: the wanted events, and where the look ended."""

    events: Sequence[Event]
    end: int


@dataclass(slots=True)
class _Place:
    """How far a consumer has come: what it has seen, and what its cursor says."""

    seen: int
    noted: int


class Reactor:
    """Reads the events of all tenants for its consumers.

    Shape:  a commit of this process is heard at once, one of another within a second.
            A consumer that is new begins with what happens from then on. `on_posted`
            is called when a reaction may have posted something.
    """

    def __init__(
        self,
        db: Database,
        consumers: Sequence[Consumer],
        *,
        tenants: Tenants,
        on_posted: Callable[[], None],
    ) -> None:
        self.consumers = consumers
        self._db = db
        self._tenants = tenants
        self._on_posted = on_posted
        self._places: dict[tuple[TenantId, str], _Place] = {}
        self._bells = {each.name: Bell() for each in consumers}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_told = False
        db.on_commit(self._hear)

    async def begin(self) -> None:
        """Give every consumer its place, so that nothing that is to come is missed."""
        places = [
            self._place_of(consumer, system(tenant, name="reactor"))
            for tenant in await self._tenants()
            for consumer in self.consumers
        ]
        await asyncio.gather(*places)

    async def follow(self, consumer: Consumer) -> None:
        """Have one consumer react for ever; a fault of one does not stop the others.

        Raises: Unavailable, or what the consumer raised; started again, it goes on
                where it was.
        """
        self._loop = asyncio.get_running_loop()
        while True:
            self._is_told = False
            await self._react_to_all(consumer)
            await asyncio.sleep(_SHORTEST_REST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bells[consumer.name].wait()

    async def react_to_news(self) -> None:
        """Have all react to everything that has happened by now."""
        for consumer in self.consumers:
            await self._react_to_all(consumer)

    async def _react_to_all(self, consumer: Consumer) -> None:
        for tenant in await self._tenants():
            by = system(tenant, name="reactor")
            while await self._react_to_batch(consumer, by):
                pass

    async def _react_to_batch(self, consumer: Consumer, by: Principal) -> bool:
        """React to the next events; tell whether there may be more."""
        place = await self._place_of(consumer, by)
        found = await self._db.read(
            lambda tx: _find(tx, consumer, after=place.seen), by=by
        )
        for event in found.events:
            await self._react(consumer, event, by)
            place.noted = event.seq
        place.seen = found.end
        if place.seen - place.noted > _LAG:
            await self._db.write(lambda tx: _pass(tx, consumer, to=found.end), by=by)
            place.noted = found.end
        return len(found.events) == BATCH

    async def _react(self, consumer: Consumer, event: Event, by: Principal) -> None:
        try:
            work = partial(_react_once, consumer=consumer, event=event)
            if await self._db.write(work, by=by):
                self._on_posted()
        except Unavailable:
            raise
        except Problem as problem:
            _log.warning(
                "reactor.passed_over",
                extra={
                    "consumer": consumer.name,
                    "seq": event.seq,
                    "reason": problem.detail,
                },
            )
            await self._db.write(lambda tx: _pass(tx, consumer, to=event.seq), by=by)

    async def _place_of(self, consumer: Consumer, by: Principal) -> _Place:
        key = by.tenant, consumer.name
        place = self._places.get(key)
        if place is None:
            begun = await self._db.write(
                lambda tx: cursors.begin(tx, consumer.name), by=by
            )
            place = self._places[key] = _Place(begun, begun)
        return place

    def _hear(self, _: set[TenantId]) -> None:
        """Wake all, on the writer's thread, because something was committed."""
        loop = self._loop
        if loop is None or self._is_told:
            return
        self._is_told = True
        # A loop that was closed meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        for bell in self._bells.values():
            bell.ring()


def _find(tx: Tx, consumer: Consumer, *, after: int) -> _Found:
    tip = events.last_seq(tx)
    wanted = consumer.wanted(tx) if tip > after else None
    if wanted is None:
        return _Found(events=(), end=max(after, tip))
    found = events.list_after(tx, after, wanted, limit=BATCH)
    return _Found(events=found, end=found[-1].seq if len(found) == BATCH else tip)


def _react_once(tx: Tx, consumer: Consumer, event: Event) -> bool:
    """React unless another gateway did; guaranteed to be True for one unit only."""
    if not _pass(tx, consumer, to=event.seq):
        return False
    consumer.react(tx, event)
    return True


def _pass(tx: Tx, consumer: Consumer, *, to: int) -> bool:
    """Move a cursor on to an event that it has not reached."""
    at = cursors.begin(tx, consumer.name)
    return at < to and cursors.advance(tx, consumer.name, after=at, to=to)
