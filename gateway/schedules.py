"""Fires what is due: looks every second, and writes only when a moment has come."""

from collections.abc import Awaitable, Callable

from core.database import Database
from core.kernel.principal import TenantId, system
from core.schedules import fires
from gateway.flags import FlagFile
from gateway.leaders import Leads, always
from gateway.sweeper import list_tenants

MOST_ROUNDS = 20


class Scheduler:
    """The clock of all tenants.

    Any number of gateways may look: a moment has its turn in one unit under its tenant's
    head, and is told apart by its schedule and its time.
    """

    def __init__(
        self,
        db: Database,
        flags: FlagFile,
        *,
        drain: Callable[[], Awaitable[None]],
        leads: Leads = always,
    ) -> None:
        self._db = db
        self._leads = leads
        self._flags = flags
        self._drain = drain

    async def tick(self) -> None:
        """Set off what is due in all tenants, unless the clock is switched off.

        Raises: Unavailable; what was due is due at the next look.
        """
        if not self._flags.current().scheduler_enabled:
            return
        tenants = await self._db.read(list_tenants, by=system())
        fired = [await self._fire(each) for each in tenants]
        if any(fired):
            await self._drain()

    async def _fire(self, tenant: TenantId) -> bool:
        """Fire a tenant's schedules, at most a thousand in one go."""
        by = system(tenant, name="scheduler")
        has_fired = False
        for _ in range(MOST_ROUNDS):
            if not await self._db.read(fires.has_due, by=by):
                break
            if not await self._leads():
                break
            has_fired = bool(await self._db.write(fires.set_off_due, by=by))
        return has_fired
