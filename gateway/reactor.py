"""Has consumers react to events, each to each event once, however many gateways run.

A reaction is one unit: its effect and the consumer's cursor commit together, so a crash
can neither lose nor repeat one. An event that a consumer cannot digest is tried a few
times, then passed over and told of; the other tenants never wait for it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol

from core.database import Database, Tx
from core.delivery import cursors
from core.events import service as events
from core.events.model import Event, EventFilter
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Problem, Unavailable
from gateway.bell import Bell
from gateway.hearing import Hearing
from gateway.supervisor import contain

POLL_SECONDS = 1.0
BATCH = 100
MOST_TRIES = 5
FAILED = "reaction_failed"

# How far a cursor may lag behind events that its consumer did not want.
_LAG = 1_000
_SHORTEST_REST_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 30.0

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
    """How far a consumer has come: what it has seen, and what its cursor says.

    Shape:  `event` is the one that it reacts to; `tries` of it failed in a row, `fault`
            says how, and nothing is tried again before `rests_until`.
    """

    seen: int
    noted: int
    event: Event | None = None
    tries: int = 0
    fault: str = ""
    rests_until: float = 0.0


class Reactor:
    """Reads the events of all tenants for its consumers.

    Shape:  a commit of this process is heard at once, one of another within a second.
            A consumer that is new begins with what happens from then on. `on_posted`
            is called when a reaction may have posted something.
    Units:  `pause` is the rest after a reaction that failed, doubled each time.
    """

    def __init__(
        self,
        db: Database,
        consumers: Sequence[Consumer],
        *,
        tenants: Tenants,
        on_posted: Callable[[], None],
        pause: timedelta = timedelta(seconds=1),
    ) -> None:
        self.consumers = consumers
        self._db = db
        self._tenants = tenants
        self._on_posted = on_posted
        self._pause_seconds = pause.total_seconds()
        self._places: dict[tuple[TenantId, str], _Place] = {}
        self._bells = {each.name: Bell() for each in consumers}
        self._hearing = Hearing(self._ring)
        db.on_commit(self._hearing.hear)

    async def begin(self) -> None:
        """Give every consumer its place, so that nothing that is to come is missed."""
        places = [
            self._place_of(consumer, system(tenant, name="reactor"))
            for tenant in await self._tenants()
            for consumer in self.consumers
        ]
        await asyncio.gather(*places)

    async def follow(self, consumer: Consumer) -> None:
        """Have one consumer react for ever; its fault in one tenant stops no other.

        Raises: Unavailable; started again, it goes on where it was.
        """
        self._hearing.begin()
        while True:
            self._hearing.taken()
            await self._react_to_all(consumer)
            await asyncio.sleep(_SHORTEST_REST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._bells[consumer.name].wait()

    async def react_to_news(self) -> None:
        """Have all react to everything that has happened by now."""
        for consumer in self.consumers:
            await self._react_to_all(consumer)

    def fault_of(self, consumer: Consumer) -> str:
        """Say what a consumer cannot digest now, in any tenant; "" for nothing."""
        faults = (
            place.fault
            for (_, name), place in self._places.items()
            if name == consumer.name and place.fault
        )
        return next(faults, "")

    async def _react_to_all(self, consumer: Consumer) -> None:
        for tenant in await self._tenants():
            by = system(tenant, name="reactor")
            place = await self._place_of(consumer, by)
            if time.monotonic() < place.rests_until:
                continue
            fault = await contain(
                self._catch_up(consumer, place, by),
                event="reactor.failing",
                consumer=consumer.name,
                tenant=tenant,
            )
            if isinstance(fault, Unavailable):
                raise fault
            if fault is not None:
                await self._suffer(consumer, place, by, fault)

    async def _catch_up(
        self, consumer: Consumer, place: _Place, by: Principal
    ) -> Unavailable | None:
        """React to all there is; an outage is given back, for it is no consumer's."""
        try:
            while await self._react_to_batch(consumer, place, by):
                pass
        except Unavailable as outage:
            return outage
        place.tries, place.fault = 0, ""
        return None

    async def _react_to_batch(
        self, consumer: Consumer, place: _Place, by: Principal
    ) -> bool:
        """React to the next events; tell whether there may be more."""
        place.event = None
        found = await self._db.read(
            lambda tx: _find(tx, consumer, after=place.seen), by=by
        )
        for event in found.events:
            place.event = event
            await self._react(consumer, event, by)
            place.seen = place.noted = event.seq
            place.tries, place.fault = 0, ""
        place.event = None
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

    async def _suffer(
        self, consumer: Consumer, place: _Place, by: Principal, fault: Exception
    ) -> None:
        """Rest after a fault; an event that fails time and again is passed over."""
        place.tries += 1
        # What a fault says may quote what somebody wrote; its kind tells no secret.
        kind, event = type(fault).__name__, place.event
        if event is None or place.tries < MOST_TRIES:
            place.fault = f"{kind} on {_named(event)}"
            rest = self._pause_seconds * 2 ** min(place.tries - 1, 8)
            place.rests_until = time.monotonic() + min(rest, _LONGEST_PAUSE_SECONDS)
            return
        _log.error(
            "reactor.gave_up",
            extra={
                "consumer": consumer.name,
                "tenant": by.tenant,
                "seq": event.seq,
                "type": event.type,
                "fault": kind,
            },
        )
        await self._db.write(partial(_give_up, consumer, event, kind), by=by)
        place.seen = place.noted = event.seq
        place.tries, place.fault, place.event = 0, "", None

    async def _place_of(self, consumer: Consumer, by: Principal) -> _Place:
        key = by.tenant, consumer.name
        place = self._places.get(key)
        if place is None:
            begun = await self._db.write(
                lambda tx: cursors.begin(tx, consumer.name), by=by
            )
            place = self._places[key] = _Place(begun, begun)
        return place

    def _ring(self) -> None:
        """Wake all, because something was committed."""
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
    # Whoever reacted to this by a fault of its own would never come to an end.
    if event.type != FAILED:
        consumer.react(tx, event)
    return True


def _give_up(consumer: Consumer, event: Event, kind: str, tx: Tx) -> None:
    """Pass an event over, and tell those who follow its target."""
    if _pass(tx, consumer, to=event.seq):
        events.append(
            tx,
            "reaction_failed",
            target=event.target,
            consumer=consumer.name,
            seq=event.seq,
            type=event.type,
            fault=kind,
        )


def _named(event: Event | None) -> str:
    return f"event {event.seq} ({event.type})" if event else "its look at the events"


def _pass(tx: Tx, consumer: Consumer, *, to: int) -> bool:
    """Move a cursor on to an event that it has not reached."""
    at = cursors.begin(tx, consumer.name)
    return at < to and cursors.advance(tx, consumer.name, after=at, to=to)
