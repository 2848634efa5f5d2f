"""The postman: takes what waits in the outbox to its channels, in order and at a pace.

Any number of gateways may run one. What is next, what is on its way and which lines are
paused stand in the database, so that all of them share one budget for each account.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from channels.base import Attempt, Capabilities, Courier, Delivered
from core.database import Database, Tx
from core.delivery.outbox import dispatch
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import Budget, Outgoing
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Unavailable
from gateway.bell import Bell
from gateway.supervisor import contain
from gateway.tries import (
    Enough,
    Jitter,
    Late,
    Lost,
    Outcome,
    delay_of,
    hand_over,
)

POLL_SECONDS = 1.0
DEADLINE = timedelta(seconds=30)
FAREWELL_SECONDS = 5.0

_CLAIM_MARGIN = 4 / 3
_SOONEST_SECONDS = 0.02
_NOTE_EVERY_SECONDS = 1.0
_NOTE_TRIES = 30

_log = logging.getLogger(__name__)

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]
IsOn = Callable[[TenantId, str], bool]
Note = Callable[[Tx, Outgoing, Attempt], None]


class Post(NamedTuple):
    """A channel's courier, and what the channel bears.

    Shape:  `note` writes each attempt down, in the unit that settles the delivery: what
            was tried is known if and only if what became of it is. `patience` is how
            long one try may take, None for as long as any other.
    """

    courier: Courier
    budget: Budget
    note: Note | None = None
    patience: timedelta | None = None


def budget_of(capabilities: Capabilities) -> Budget:
    """Turn what a channel declares into the pace at which it is sent to."""
    rate = capabilities.max_rate
    return Budget(pause=timedelta(minutes=1) / rate if rate else timedelta())


class Postman:
    """Delivers what is due, again and again, until it is told to stop.

    Shape:  `posts` are the channels that this gateway reaches, by name; `is_on` tells
            whether a tenant has a channel switched on. `bell` is rung when something
            was posted; without it that is found within a second.
    Units:  a delivery has `deadline`; its claim lasts a third longer, and after a crash
            another postman takes it up then.
    """

    def __init__(
        self,
        db: Database,
        posts: Mapping[str, Post],
        *,
        tenants: Tenants,
        is_on: IsOn,
        deadline: timedelta = DEADLINE,
        jitter: Jitter = random.random,
    ) -> None:
        self.bell = Bell()
        self._db = db
        self._posts = posts
        self._tenants = tenants
        self._is_on = is_on
        self._deadline = deadline
        self._jitter = jitter
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._is_failing = False

    async def run(self) -> None:
        """Deliver for ever; a fault ends it, to be started again."""
        async with asyncio.TaskGroup() as group:
            while not self._is_closing:
                await self._rest(await self._begin_due_or_wait(group))

    async def deliver_due(self) -> int:
        """Deliver once what is due now; give how many were tried."""
        async with asyncio.TaskGroup() as group:
            await self._begin_due(group)
            return len(self._under_way)

    async def hurry(self) -> None:
        """Look again at once."""
        self.bell.ring()

    async def close(self) -> None:
        """Begin nothing new, and give what is under way a moment to end."""
        self._is_closing = True
        self.bell.ring()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=FAREWELL_SECONDS)

    # ── claiming ──────────────────────────────────────────────────────────────
    async def _begin_due_or_wait(self, group: asyncio.TaskGroup) -> float:
        """Begin all that is due; an outage of the database leaves the rest under way."""
        try:
            wait = await self._begin_due(group)
        except Unavailable as outage:
            if not self._is_failing:
                _log.warning("outbox.waiting", extra={"reason": outage.detail})
            self._is_failing = True
            return POLL_SECONDS
        self._is_failing = False
        return wait

    async def _begin_due(self, group: asyncio.TaskGroup) -> float:
        """Begin all that is due; give the seconds after which to look again."""
        wait = POLL_SECONDS
        for tenant in await self._tenants() if self._posts else ():
            by = system(tenant, name="postman")
            terms = self._terms(tenant)
            seen = await self._db.read(partial(_look, terms=terms), by=by)
            wait = min(wait, seen.next_in)
            if seen.has_due:
                claim = partial(dispatch.claim, terms=terms)
                claimed = await self._db.write(claim, by=by)
                self._begin(group, claimed, by)
        return wait

    def _begin(
        self, group: asyncio.TaskGroup, claimed: Sequence[Outgoing], by: Principal
    ) -> None:
        for outgoing in claimed:
            task = group.create_task(self._deliver(outgoing, by), name=outgoing.id)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    def _terms(self, tenant: TenantId) -> Terms:
        return Terms(
            budgets={name: post.budget for name, post in self._posts.items()},
            claim=self._deadline * _CLAIM_MARGIN,
            switched_off=frozenset(
                name for name in self._posts if not self._is_on(tenant, name)
            ),
        )

    async def _rest(self, seconds: float) -> None:
        """Wait for the bell or the next moment at which something may be due."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(seconds, _SOONEST_SECONDS)):
                await self.bell.wait()

    # ── delivering ────────────────────────────────────────────────────────────
    async def _deliver(self, outgoing: Outgoing, by: Principal) -> None:
        outcome = await self._try(outgoing, by.tenant)
        if isinstance(outcome, Lost | Late):
            _log.info(
                "outbox.failed" if isinstance(outcome, Lost) else "outbox.postponed",
                extra={"delivery": outgoing.id, "reason": outcome.reason},
            )
        await self._note(outgoing, outcome, by)
        self.bell.ring()

    async def _try(self, outgoing: Outgoing, tenant: TenantId) -> Outcome:
        """Deliver one; a fault of ours stops no other, and is tried again later."""
        post = self._posts[outgoing.channel]
        outcome = await contain(
            hand_over(
                post.courier,
                outgoing,
                tenant=tenant,
                patience=post.patience or self._deadline,
            ),
            event="outbox.courier_failed",
            delivery=outgoing.id,
            channel=outgoing.channel,
        )
        if isinstance(outcome, Exception):
            return Late(reason=f"a fault of ours: {type(outcome).__name__}")
        return outcome

    async def _note(self, outgoing: Outgoing, outcome: Outcome, by: Principal) -> None:
        """Write down what became of it, however long the database takes to take it."""
        for _ in range(_NOTE_TRIES):
            with suppress(Unavailable):
                await self._db.write(
                    lambda tx: self._settle(tx, outgoing, outcome), by=by
                )
                return
            await asyncio.sleep(_NOTE_EVERY_SECONDS)
        _log.error("outbox.not_noted", extra={"delivery": outgoing.id})

    def _settle(self, tx: Tx, outgoing: Outgoing, outcome: Outcome) -> None:
        match outcome:
            case Delivered():
                dispatch.note_sent(tx, outgoing, ref=outcome.ref)
            case Enough():
                dispatch.note_skipped(tx, outgoing, reason=outcome.reason)
            case Lost():
                dispatch.note_dead(tx, outgoing, error=outcome.reason, fix=outcome.fix)
            case Late():
                delay = delay_of(outgoing, outcome, now=tx.now, jitter=self._jitter)
                dispatch.note_delayed(tx, outgoing, delay)
        note = self._posts[outgoing.channel].note
        if note is not None and outcome.attempt is not None:
            note(tx, outgoing, outcome.attempt)


class _Seen(NamedTuple):
    """Whether anything is due now, and in how many seconds the next may be."""

    has_due: bool
    next_in: float


def _look(tx: Tx, terms: Terms) -> _Seen:
    turns = dispatch.look(tx, terms)
    wait = (turns.next_at - tx.micros) / 1e6 if turns.next_at else POLL_SECONDS
    return _Seen(bool(turns.now), wait)
