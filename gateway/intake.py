"""The store-first road: commit a message as received, acknowledge it, then run it.

What was acknowledged is on disk. Running it is a hint away: a bounded queue in memory
feeds a few workers, and whatever the queue lost (a full one, a crash) is found again in
the inbox, by this gateway or another. The unit that has the effect also ends the
message, so it happens once whoever tries.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from weakref import WeakValueDictionary

from core.database import Database, Tx
from core.delivery import received
from core.delivery.model import InboxDraft, InboxKey, InboxState, StoredMessage
from core.delivery.received import CLAIM, Received
from core.kernel.clock import to_micros
from core.kernel.ids import random_token
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import KeyReused, Problem, RateLimited
from gateway.holds import Holds
from gateway.notices import Notices
from gateway.pipeline import Pipeline
from gateway.stored import Source
from gateway.stored_runs import StoredRuns

QUEUE_LIMIT = 1_000
WORKERS = 4
DRAIN_EVERY = timedelta(seconds=5)

_log = logging.getLogger(__name__)

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A verified message as its door hands it in.

    Shape:  the same key again is the same message, and must have the same hash.
            `payload` is JSON, without anything that would let somebody in.
    """

    key: InboxKey
    request_hash: str
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a door tells the sender; `reply` is the stored answer, "" while there is none.

    `is_new` is False when the same message was stored before.
    """

    request_id: str
    reply: str = ""
    is_new: bool = False


class Intake:
    """Takes messages in, and sees to it that each is run once.

    Shape:  `sources` are the store-first channels by name; a message of another one
            waits for a gateway that knows it. Above a limit a machine's delivery waits
            until there is room, and a person is told once a minute, unless what they
            say only steers work. What one person says is run in its order. `on_posted` is called when an answer waits to be
            delivered. `start` and `stop` frame the workers; `drain` is
            due every 5 s.
    Units:  at most 1,000 messages wait in memory; the rest wait in the inbox.
    """

    def __init__(
        self,
        db: Database,
        pipeline: Pipeline,
        *,
        sources: Mapping[str, Source],
        tenants: Tenants,
        on_posted: Callable[[], None] = lambda: None,
    ) -> None:
        self._db = db
        self._notices = Notices()
        self._runs = StoredRuns(
            db, pipeline, notices=self._notices, on_posted=on_posted
        )
        self._limiter = pipeline.gate.limiter
        self._holds = Holds()
        self._sources = sources
        self._tenants = tenants
        self._queue: asyncio.Queue[Received] = asyncio.Queue(QUEUE_LIMIT)
        # What is queued or run here. Its claim may end meanwhile, and a second worker
        # on the same message would only be missing elsewhere.
        self._own: set[InboxKey] = set()
        self._turns: WeakValueDictionary[InboxKey, asyncio.Lock] = WeakValueDictionary()
        self._has_drained = False
        self._is_flooded = False
        self._task: asyncio.Task[None] | None = None

    async def receive(self, arrival: Arrival) -> Receipt:
        """Store a message; it is on disk when this returns.

        Raises: KeyReused when its key belongs to another message; Unavailable when it
                cannot be stored, and then nothing was.
        """
        token = random_token()
        outcome = await self._db.write(
            lambda tx: self._store(tx, arrival, token),
            by=system(arrival.key.tenant),
            key=arrival.key,
        )
        if isinstance(outcome, Receipt):
            return outcome
        self._enqueue(outcome)
        return Receipt(request_id=outcome.request_id, is_new=True)

    async def drain(self) -> None:
        """Queue the messages that were stored and not run.

        Shape:  the first time all of them, for those who had claimed them may be gone;
                running one twice at once is harmless. Later those whose claim ended;
                of those that are queued or run here it is renewed.
        """
        for tenant in await self._tenants():
            for stored in await self._claim(tenant):
                self._enqueue(stored)
            await self._end_holds(tenant)
        self._has_drained = True

    def start(self) -> None:
        """Start the workers in one task group."""
        self._task = asyncio.create_task(self._work_all(), name="intake")

    async def stop(self) -> None:
        """Stop the workers; what they leave is in the inbox."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until everything that is queued in memory has been run."""
        await self._queue.join()

    # ── storing ───────────────────────────────────────────────────────────────
    def _store(self, tx: Tx, arrival: Arrival, token: str) -> Receipt | Received:
        """Store a new message, or tell what became of the one under its key."""
        prior = tx.prior
        if isinstance(prior, StoredMessage | InboxDraft):
            if prior.request_hash != arrival.request_hash:
                raise KeyReused(
                    "this key was used for another message",
                    fix=["send the same body again, or use a new key"],
                )
            return Receipt(request_id=prior.request_id, reply=prior.reply)
        claimed_until = tx.now if self._queue.full() else tx.now + CLAIM
        draft = InboxDraft(
            key=arrival.key,
            conversation="",
            reply_id=f"rp_{token}",
            request_id=f"rq_{token}",
            request_hash=arrival.request_hash,
            reply="",
            state=InboxState.RECEIVED,
            payload=arrival.payload,
            claimed_until=to_micros(claimed_until),
        )
        tx.record(draft)
        tx.keep(draft)
        return Received(
            key=draft.key,
            seq=0,
            request_id=draft.request_id,
            reply_id=draft.reply_id,
            request_hash=draft.request_hash,
            state=draft.state,
            payload=draft.payload,
            reply="",
            received_at=tx.now,
            done_at=None,
        )

    async def _claim(self, tenant: TenantId) -> Sequence[Received]:
        """Claim what the queue has room for; an idle tenant costs one read."""
        room = QUEUE_LIMIT - self._queue.qsize()
        has_drained = self._has_drained
        found = await self._db.read(
            lambda tx: received.list_waiting(tx, limit=room, is_free_only=has_drained),
            by=system(tenant),
        )
        known = [each for each in found if each.key.channel in self._sources]
        if not known:
            return ()
        return await self._db.write(
            lambda tx: received.claim(tx, known), by=system(tenant)
        )

    def _enqueue(self, stored: Received) -> None:
        """Hint at a message once; what finds no room is found again by a drain."""
        if stored.key in self._own:
            return
        is_full = self._queue.full()
        if not is_full:
            self._queue.put_nowait(stored)
            self._own.add(stored.key)
        if is_full != self._is_flooded:
            self._is_flooded = is_full
            _log.warning("intake.full" if is_full else "intake.has_room")

    # ── running ───────────────────────────────────────────────────────────────
    async def _work_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(), name=f"intake-{number}")

    async def _work(self) -> None:
        while True:
            stored = await self._queue.get()
            try:
                async with self._turn_of(stored.key):
                    await self._step(stored)
            finally:
                self._own.discard(stored.key)
                self._queue.task_done()

    def _turn_of(self, key: InboxKey) -> AbstractAsyncContextManager[None]:
        """Have what one person says run in its order; machines need none."""
        if not self._sources[key.channel].is_chat:
            return nullcontext()
        return self._turns.setdefault(key._replace(key=""), asyncio.Lock())

    async def _step(self, stored: Received) -> None:
        """Run one message; what cannot be done now waits in the inbox for a drain."""
        key = stored.key
        source = self._sources[key.channel]
        try:
            limit = await self._limit_hit(stored, source)
            if limit is None:
                await self._runs.run(stored, source)
            elif source.is_chat:
                await self._runs.refuse(stored, source, limit)
            else:
                await self._hold(stored, limit)
        except Problem as problem:
            _log.warning(
                "intake.postponed",
                extra={"request_id": stored.request_id, "reason": problem.detail},
            )

    async def _limit_hit(self, stored: Received, source: Source) -> RateLimited | None:
        """Count a message; give the limit that it is above, and must heed."""
        key = stored.key
        try:
            if not source.is_chat:
                self._limiter.admit_delivery(key.tenant, key.channel, key.account)
            else:
                self._limiter.admit(key.channel, _sender(key))
        except RateLimited as limit:
            is_steering = source.is_chat and await self._runs.is_control(stored, source)
            return self._control_limit_hit(key) if is_steering else limit
        return None

    def _control_limit_hit(self, key: InboxKey) -> RateLimited | None:
        try:
            self._limiter.admit_control(key.channel, _sender(key))
        except RateLimited as limit:
            return limit
        return None

    async def _hold(self, stored: Received, limit: RateLimited) -> None:
        """Leave a delivery in the inbox until there is room, and note why."""
        reason = f"above the limit of {limit.extra['limit']}, runs when there is room"
        self._holds.note(stored.key, limit, is_first=not stored.waits_for)
        if stored.waits_for != reason:
            await self._db.write(
                lambda tx: received.note_held(tx, stored.key, reason=reason),
                by=system(stored.key.tenant),
            )

    async def _end_holds(self, tenant: TenantId) -> None:
        """Tell of the accounts of which nothing waits for room any more."""
        for held in self._holds.list_of(tenant):
            still_waits = await self._db.read(
                partial(received.has_held, channel=held.channel, account=held.account),
                by=system(tenant),
            )
            if not still_waits:
                self._holds.end(held)


def _sender(key: InboxKey) -> Principal:
    """Name whom a message's limits count for: whoever delivered it."""
    return Principal(
        id=f"{key.account}:{key.sender}", name=key.account, tenant=key.tenant
    )
