"""What a Celery worker's process has: the database, an event loop, a worker on it.

Celery's tasks run in threads; each hands its run to the one loop, and waits.
"""

import asyncio
import logging
import threading
from collections.abc import Sequence
from datetime import timedelta

from core.database import Tx
from core.kernel.principal import TenantId, system
from core.kernel.problems import InvalidArgument, Unavailable
from core.runs.reports import Wanted
from core.runs.workers import service as workers
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.opening import open_database
from gateway.settings import Settings
from gateway.supervisor import Loop, Supervisor, Ticker, contain
from gateway.sweeper import list_tenants
from gateway.uploads import limits_of
from gateway.wakes.lines import wakes_of
from gateway.workers.calls import Claimed
from gateway.workers.embedded import wanted_of
from gateway.workers.executors.every import executors
from gateway.workers.host import STOP_WITHIN
from gateway.workers.local import LocalCalls
from gateway.workers.orders import Orders
from gateway.workers.work import Worker

_HEARD_EVERY = timedelta(seconds=30)

_log = logging.getLogger(__name__)


class Site:
    """Executes runs for the threads of a Celery worker.

    Raises: InvalidArgument on SQLite, whose file no second host can share.
    """

    def __init__(self, settings: Settings, *, name: str) -> None:
        require_shared(settings)
        self.name = name
        self._wanted = wanted_of(settings, name, "celery")
        self._db = open_database(settings)
        keystore = FileKeystore(settings.data / "keys" / "keystore.json")
        self._calls = LocalCalls(
            self._db,
            Vault(keystore),
            tenants=self._tenants,
            limits=limits_of(settings),
        )
        self._loop = asyncio.new_event_loop()
        self._is_stopping = False
        threading.Thread(
            target=self._loop.run_forever, name="opswire-runs", daemon=True
        ).start()
        self._worker = asyncio.run_coroutine_threadsafe(
            self._begin(settings), self._loop
        ).result()

    def do(self, tenant: TenantId, run_id: str) -> None:
        """Take a run and do it, then whatever else of this tenant waits for a worker."""
        asyncio.run_coroutine_threadsafe(self._do(tenant, run_id), self._loop).result()

    def stop(self) -> None:
        """Take nothing more, and hand the runs back after the steps they are at."""
        self._loop.call_soon_threadsafe(self._stop)

    def close(self) -> None:
        """Let go of everything, once no task is at work any more."""
        asyncio.run_coroutine_threadsafe(self._supervisor.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._db.close()

    async def _begin(self, settings: Settings) -> Worker:
        worker = Worker(
            self._calls,
            executors(settings),
            folder=settings.work_folder,
            settings=settings.workers,
        )
        loops = [Loop(name="orders", work=Orders(self._db, worker).run)]
        if wakes := wakes_of(settings, self._db):
            loops.append(Loop(name="wakes", work=wakes.run, fault=lambda: wakes.fault))
        self._supervisor = Supervisor(
            [Ticker(name="worker-heard", work=self._be_heard, every=_HEARD_EVERY)],
            loops,
        )
        self._supervisor.start()
        return worker

    async def _do(self, tenant: TenantId, run_id: str) -> None:
        held = await self._claim(tenant, run_id)
        while held is not None:
            work = self._worker.work(held)
            await contain(work, event="worker.faulty", run_id=held.run_id)
            held = await self._claim_next(tenant)

    async def _claim(self, tenant: TenantId, run_id: str) -> Claimed | None:
        """Take the run that was rung for; what cannot be taken now is rung for again."""
        if self._is_stopping:
            return None
        try:
            return await self._calls.claim_one(tenant, run_id, self._wanted)
        except Unavailable as outage:
            _log.warning("worker.unreached", extra={"reason": outage.detail})
            return None

    async def _claim_next(self, tenant: TenantId) -> Claimed | None:
        """Take what waits: room that a run has left is not rung for."""
        if self._is_stopping:
            return None
        try:
            return await self._calls.claim_next(tenant, self._wanted)
        except Unavailable:
            return None

    def _stop(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            _log.info("worker.stopping", extra={"worker": self.name})
            self._worker.stop()
            self._loop.call_later(STOP_WITHIN.total_seconds(), self._worker.kill)

    async def _be_heard(self) -> None:
        for tenant in await self._tenants():
            by = system(tenant, name="worker")
            await self._db.write(lambda tx: _hear(tx, self._wanted), by=by)

    async def _tenants(self) -> Sequence[TenantId]:
        return await self._db.read(list_tenants, by=system())


def require_shared(settings: Settings) -> None:
    """Refuse a database that a second process on another host cannot have.

    Raises: InvalidArgument.
    """
    if settings.database.startswith("sqlite"):
        raise InvalidArgument(
            "Celery workers need Postgres: a SQLite file has one host",
            fix=[
                "set DATABASE_URL=postgresql://user:password@host/name, on both",
                "ops worker --url URL, which needs no database",
                "OPSWIRE_WORKERS__EMBEDDED=8 ops serve",
            ],
            field="DATABASE_URL",
        )


def _hear(tx: Tx, wanted: Wanted) -> None:
    workers.register(tx, wanted)
