"""Forgets old messages and deliveries, a little at a time, so that nobody waits for it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

from core.database import Database, Tx
from core.delivery import retention
from core.delivery.outbox import queue
from core.delivery.retention import Expired, Keep
from core.hooks.subscriptions import service as subscriptions
from core.hooks.triggers import fires
from core.kernel.principal import Principal, TenantId, system
from core.runs import retention as runs
from core.schedules import ticks
from gateway.settings import KeepSettings

EVERY = timedelta(minutes=10)
MOST_BATCHES = 50

Tenants = Callable[[], Awaitable[Sequence[TenantId]]]


class Purge:
    """Looks every ten minutes, as a reader; writes only when something is too old."""

    def __init__(self, db: Database, keep: KeepSettings, *, tenants: Tenants) -> None:
        self._db = db
        self._tenants = tenants
        self._keep = Keep(
            inbox=timedelta(days=keep.inbox_days),
            sent=timedelta(days=keep.sent_days),
            dead=timedelta(days=keep.dead_days),
        )
        self._keep_runs = timedelta(days=keep.run_days)

    async def run(self) -> None:
        """Forget what is too old, at most 10,000 messages of a tenant in one go."""
        for tenant in await self._tenants():
            by = system(tenant, name="purge")
            for _ in range(MOST_BATCHES):
                expired = await self._db.read(
                    lambda tx: retention.find_expired(tx, self._keep), by=by
                )
                if expired.is_empty:
                    break
                await self._db.write(partial(_forget, expired=expired), by=by)
            await self._forget_attempts(by)
            await self._forget_fires(by)
            await self._forget_runs(by)
            await self._forget_ticks(by)

    async def _forget_attempts(self, by: Principal) -> None:
        """Forget how old deliveries to subscriptions went."""
        for _ in range(MOST_BATCHES):
            old = await self._db.read(
                lambda tx: subscriptions.find_old_attempts(tx, self._keep.dead), by=by
            )
            if not old:
                break
            await self._db.write(
                partial(subscriptions.forget_attempts, attempts=old), by=by
            )

    async def _forget_fires(self, by: Principal) -> None:
        """Forget what triggers set off, as soon as its answers are forgotten."""
        for _ in range(MOST_BATCHES):
            old = await self._db.read(
                lambda tx: fires.find_expired(tx, self._keep.inbox), by=by
            )
            if not old:
                break
            await self._db.write(partial(fires.forget, expired=old), by=by)

    async def _forget_ticks(self, by: Principal) -> None:
        """Forget the moments of schedules, as soon as their answers are forgotten."""
        for _ in range(MOST_BATCHES):
            old = await self._db.read(
                lambda tx: ticks.find_expired(tx, self._keep.inbox), by=by
            )
            if not old:
                break
            await self._db.write(partial(ticks.forget, expired=old), by=by)

    async def _forget_runs(self, by: Principal) -> None:
        """Forget runs that ended long ago, with all that they left behind."""
        keep = self._keep_runs
        for _ in range(MOST_BATCHES):
            old = await self._db.read(lambda tx: runs.find_expired(tx, keep), by=by)
            if not old:
                break
            await self._db.write(partial(runs.forget, expired=old, keep=keep), by=by)


def _forget(tx: Tx, expired: Expired) -> None:
    retention.forget(tx, expired)
    queue.end_pauses(tx)
