"""The postman: takes what waits in the outbox to its channels, in order and at a pace.

Any number of gateways may run one. What is next, what is on its way and which lines are
paused stand in the database, so that all of them share one budget for each account.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from channels.base import (
    Capabilities,
    Courier,
    Parcel,
    Postponed,
    Skipped,
    Undeliverable,
)
from core.database import Database, Tx
from core.delivery.outbox import dispatch
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import Budget, Delay, Outgoing, Spot, line_of
from core.kernel.jsons import parse_json
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import Unavailable
from core.kernel.reply import reply_from_json
from gateway.bell import Bell
from gateway.supervisor import contain

POLL_SECONDS = 1.0
DEADLINE = timedelta(seconds=30)
LONGEST_PAUSE_SECONDS = 300.0
FAREWELL_SECONDS = 5.0

_CLAIM_MARGIN = 4 / 3
_SOONEST_SECONDS = 0.02
_NOTE_EVERY_SECONDS = 1.0
_NOTE_TRIES = 30
_MOST_DOUBLINGS = 12
_REASON_LIMIT = 500

_log = logging.getLogger(__name__)

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]
IsOn = Callable[[TenantId, str], bool]
Jitter = Callable[[], float]


class Post(NamedTuple):
    """A channel's courier, and what the channel bears."""

    courier: Courier
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class _Late:
    """What did not work now.

    Units:  `retry_after` in seconds, 0 when nobody asked for a pause.
    """

    reason: str
    retry_after: float = 0
    is_account_wide: bool = False
    is_lane_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lost:
    """What will never work."""

    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enough:
    """What the channel has told enough of."""

    reason: str


_Outcome = str | _Late | _Lost | _Enough


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
        outcome = await self._try(outgoing)
        if isinstance(outcome, _Lost | _Late):
            _log.info(
                "outbox.failed" if isinstance(outcome, _Lost) else "outbox.postponed",
                extra={"delivery": outgoing.id, "reason": outcome.reason},
            )
        await self._note(outgoing, outcome, by)
        self.bell.ring()

    async def _try(self, outgoing: Outgoing) -> _Outcome:
        """Deliver one; a fault of ours stops no other, and is tried again later."""
        outcome = await contain(
            self._hand_over(outgoing),
            event="outbox.courier_failed",
            delivery=outgoing.id,
            channel=outgoing.channel,
        )
        if isinstance(outcome, Exception):
            return _Late(reason=f"a fault of ours: {type(outcome).__name__}")
        return outcome

    async def _hand_over(self, outgoing: Outgoing) -> _Outcome:
        courier = self._posts[outgoing.channel].courier
        try:
            async with asyncio.timeout(self._deadline.total_seconds()):
                return await courier.deliver(_parcel(outgoing))
        except TimeoutError:
            return _Late(
                reason=f"no answer within {self._deadline.total_seconds():.0f} s"
            )
        except Postponed as late:
            return _Late(
                reason=late.reason,
                retry_after=late.retry_after,
                is_account_wide=late.is_account_wide,
                is_lane_only=late.is_lane_only,
            )
        except Skipped as enough:
            return _Enough(reason=enough.reason)
        except Undeliverable as lost:
            return _Lost(reason=lost.reason, fix=lost.fix)

    async def _note(self, outgoing: Outgoing, outcome: _Outcome, by: Principal) -> None:
        """Write down what became of it, however long the database takes to take it."""
        for _ in range(_NOTE_TRIES):
            with suppress(Unavailable):
                await self._db.write(
                    lambda tx: self._settle(tx, outgoing, outcome), by=by
                )
                return
            await asyncio.sleep(_NOTE_EVERY_SECONDS)
        _log.error("outbox.not_noted", extra={"delivery": outgoing.id})

    def _settle(self, tx: Tx, outgoing: Outgoing, outcome: _Outcome) -> None:
        match outcome:
            case str():
                dispatch.note_sent(tx, outgoing, ref=outcome)
            case _Enough():
                dispatch.note_skipped(tx, outgoing, reason=outcome.reason)
            case _Lost():
                dispatch.note_dead(tx, outgoing, error=outcome.reason, fix=outcome.fix)
            case _Late():
                dispatch.note_delayed(tx, outgoing, self._delay(tx, outgoing, outcome))

    def _delay(self, tx: Tx, outgoing: Outgoing, late: _Late) -> Delay:
        """Wait as long as was asked, or a random while that grows with the tries."""
        seconds = late.retry_after + self._jitter() * _most_seconds(outgoing, late)
        return Delay(
            reason=late.reason[:_REASON_LIMIT],
            until=tx.now + timedelta(seconds=seconds),
            spot=_spot_of(outgoing, late),
        )


class _Seen(NamedTuple):
    """Whether anything is due now, and in how many seconds the next may be."""

    has_due: bool
    next_in: float


def _look(tx: Tx, terms: Terms) -> _Seen:
    turns = dispatch.look(tx, terms)
    wait = (turns.next_at - tx.micros) / 1e6 if turns.next_at else POLL_SECONDS
    return _Seen(bool(turns.now), wait)


def _parcel(outgoing: Outgoing) -> Parcel:
    stored = parse_json(outgoing.body)
    assert isinstance(stored, dict)
    return Parcel(
        id=outgoing.key,
        account=outgoing.account,
        place=outgoing.place,
        reply=reply_from_json(stored),
        lane=outgoing.lane,
        subject=outgoing.subject,
        edits=outgoing.edits,
    )


def _most_seconds(outgoing: Outgoing, late: _Late) -> float:
    if late.retry_after:
        return 1.0
    return min(2.0 ** min(outgoing.attempts, _MOST_DOUBLINGS), LONGEST_PAUSE_SECONDS)


def _spot_of(outgoing: Outgoing, late: _Late) -> Spot | None:
    spot = Spot(outgoing.channel, outgoing.account, line_of(outgoing.place))
    if late.is_account_wide:
        return spot.whole_account
    return spot if late.retry_after and not late.is_lane_only else None
