"""Ends what is past its time, in every tenant: leases, approvals, proposals, runs."""

from core.approvals import service as proposals
from core.approvals.requests import service as requests
from core.collab import service as board
from core.database import Database, Tx
from core.identity.tenants import service as tenants
from core.kernel.principal import TenantId, system
from core.leases import service as leases
from core.runs import sweep as runs
from core.runs.artifacts import service as artifacts
from gateway.flags import FlagFile
from gateway.leaders import Leads, always


class Sweeper:
    """Looks every second; writes only when there is something to end.

    Any number of gateways may sweep: a thing ends in one unit under its tenant's head.
    `leads` only spares the others the work.
    """

    def __init__(self, db: Database, flags: FlagFile, *, leads: Leads = always) -> None:
        self._db = db
        self._flags = flags
        self._leads = leads

    async def sweep(self) -> None:
        """End what is late in all tenants, unless the clock is switched off."""
        if not self._flags.current().scheduler_enabled:
            return
        for tenant in await self._db.read(list_tenants, by=system()):
            by = system(tenant, name="sweeper")
            if await self._db.read(_has_late, by=by) and await self._leads():
                await self._db.write(_end_late, by=by)


def list_tenants(tx: Tx) -> list[TenantId]:
    """List the ids of all tenants, as the default tenant may."""
    return [tenant.id for tenant in tenants.list_(tx)]


def _has_late(tx: Tx) -> bool:
    has_stale = bool(leases.list_stale(tx, limit=1))
    return (
        has_stale
        or requests.has_late(tx)
        or proposals.has_late(tx)
        or runs.has_late(tx)
        or artifacts.has_late(tx)
    )


def _end_late(tx: Tx) -> None:
    board.sweep(tx)
    requests.expire(tx)
    proposals.purge(tx)
    runs.sweep(tx)
    artifacts.sweep(tx)
