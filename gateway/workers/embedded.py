"""The worker inside `ops serve`: takes what a commit has just queued."""

import asyncio
import socket
from collections.abc import Mapping
from datetime import timedelta

from core.database import Database
from core.runs.reports import Wanted
from core.secrets.vault import Vault
from gateway.hearing import Hearing
from gateway.settings import Settings
from gateway.uploads import limits_of
from gateway.workers.executors.base import Executor
from gateway.workers.host import Host, Pace
from gateway.workers.local import LocalCalls, Tenants
from gateway.workers.orders import Orders
from gateway.workers.work import Worker

_POLL = timedelta(seconds=1)


class Embedded:
    """A host that hears of commits.

    Shape:  a run that this process queues is claimed at once, one of another process
            when that is heard of, or within a second.
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        executors: Mapping[str, Executor],
        *,
        settings: Settings,
        tenants: Tenants,
    ) -> None:
        self._calls = LocalCalls(db, vault, tenants=tenants, limits=limits_of(settings))
        self._worker = Worker(
            self._calls,
            executors,
            folder=settings.work_folder,
            settings=settings.workers,
        )
        self.host = Host(
            self._calls,
            self._worker,
            wanted_of(settings, f"{socket.gethostname()}-{settings.port}", "embedded"),
            Pace(room=settings.workers.embedded, poll=_POLL),
        )
        self._orders = Orders(db, self._worker)
        self._hearing = Hearing(self._look)
        db.on_commit(self._hearing.hear)

    async def run(self) -> None:
        """Work until `stop`; then finish the steps under way and hand the runs back."""
        self._hearing.begin()
        listening = asyncio.create_task(self._orders.run(), name="worker-orders")
        try:
            await self.host.run()
        finally:
            listening.cancel()

    def stop(self) -> None:
        """Take nothing more."""
        self.host.stop()

    async def finish(self) -> None:
        """Stop, and wait until every run is done or handed back."""
        self.stop()
        if self._hearing.has_begun:
            await self.host.finished.wait()

    def _look(self) -> None:
        self._calls.hear(self._hearing.taken())
        self.host.bell.ring()


def wanted_of(settings: Settings, name: str, host: str) -> Wanted:
    """Say what a worker of this process takes: all but what only others can do."""
    return Wanted(
        worker=name,
        host=host,
        labels=settings.workers.label_set,
        takes_manual=False,
        lease=timedelta(seconds=settings.workers.lease_seconds),
    )
