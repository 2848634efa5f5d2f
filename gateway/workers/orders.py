"""Hears that runs at work here are to wait, to go on or to end, and hurries them.

Without it a worker learns of that with its next heartbeat.
"""

import asyncio
from contextlib import suppress
from typing import Protocol

from core.database import Database
from core.kernel.principal import TenantId, system
from core.kernel.problems import Unavailable
from core.runs import waiting
from gateway.bell import Bell
from gateway.hearing import Hearing

_REST_SECONDS = 0.02

Ordered = frozenset[tuple[str, str]]
"""Runs that are to wait or to end: their ids and statuses."""


class Hurried(Protocol):
    """A worker that can be told to ask at once."""

    def hurry(self, run_id: str) -> None:
        """Ask now what is wanted of a run; of what is not ours nothing is asked."""


class Orders:
    """Looks after each commit for runs that were paused, resumed or cancelled.

    Shape:  each change is passed on once, so the heartbeat that it brings about, a
            commit as well, ends the matter.
    """

    def __init__(self, db: Database, worker: Hurried) -> None:
        self._db = db
        self._worker = worker
        self._known: dict[TenantId, Ordered] = {}
        self._bell = Bell()
        self._hearing = Hearing(self._bell.ring)
        db.on_commit(self._hearing.hear)

    async def run(self) -> None:
        """Listen until cancelled; what is missed comes with a heartbeat."""
        self._hearing.begin()
        while True:
            await self._bell.wait()
            for tenant in self._hearing.taken():
                with suppress(Unavailable):
                    await self._look(tenant)
            await asyncio.sleep(_REST_SECONDS)

    async def _look(self, tenant: TenantId) -> None:
        by = system(tenant, name="worker")
        ordered = await self._db.read(waiting.list_ordered, by=by)
        before = self._known.get(tenant, frozenset())
        self._known[tenant] = ordered
        for run_id in {run_id for run_id, _ in ordered ^ before}:
            self._worker.hurry(run_id)
