"""What a gateway does for runs: works on some itself, and hurries those who do the rest."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

from core.database import Database, Tx, is_sqlite
from core.kernel.principal import system
from core.kernel.problems import Unavailable
from core.runs.lanes import figures
from core.runs.workers import service as workers
from gateway.core import Core
from gateway.health import Check
from gateway.leaders import Leaders
from gateway.settings import Settings
from gateway.supervisor import Loop
from gateway.wakes.lines import wakes_of
from gateway.wakes.wakes import Wakes
from gateway.workers.doorbell import Doorbell
from gateway.workers.embedded import Embedded
from gateway.workers.executors.base import Executor
from gateway.workers.local import Tenants

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The parts of a gateway that have to do with workers and with other processes."""

    db: Database
    leaders: Leaders
    wakes: Wakes | None = None
    embedded: Embedded | None = None
    doorbell: Doorbell | None = None

    def loops(self) -> Sequence[Loop]:
        """List what goes on for ever."""
        found: list[Loop] = []
        if (wakes := self.wakes) is not None:
            found.append(Loop(name="wakes", work=wakes.run, fault=lambda: wakes.fault))
        if self.embedded is not None:
            found.append(Loop(name="worker", work=self.embedded.run))
        if (bell := self.doorbell) is not None:
            found.append(Loop(name="doorbell", work=bell.run, fault=lambda: bell.fault))
        return found

    def stop(self) -> None:
        """Take no more runs; those at work are handed back after their steps."""
        if self.embedded is not None:
            self.embedded.stop()

    async def finish(self) -> None:
        """Wait until no run is at work here any more."""
        if self.embedded is not None:
            await self.embedded.finish()

    async def close(self) -> None:
        """Leave to others what this process leads in."""
        with suppress(Unavailable):
            await self.leaders.resign()

    async def check(self) -> Check:
        """Say who works for the default tenant; without workers runs only wait."""
        return await self.db.read(self._look, by=system())

    def _look(self, tx: Tx) -> Check:
        present = workers.list_present(tx)
        queue = figures.read(tx)
        waiting = sum(queue.queued.values())
        told = [f"{len(present)} online", f"{waiting} runs waiting"]
        fix = ""
        if waiting and not present:
            fix = "start a worker: ops worker --help"
        if self.doorbell is not None and self.doorbell.fault:
            told.append(self.doorbell.fault)
            fix = "look at Redis: runs start later while it is away"
        if queue.stuck:
            told.append(f"{queue.stuck} stuck")
            fix = "schedulerEnabled must be true in config/flags.json"
        return Check(is_ok=True, detail=", ".join(told), fix=fix)


def build_hosts(
    core: Core, executors: Mapping[str, Executor], *, tenants: Tenants
) -> Hosts:
    """Build what the settings ask for."""
    settings, db = core.settings, core.db
    leaders = Leaders(db)
    embedded = None
    if settings.workers.embedded:
        embedded = Embedded(
            db, core.vault, executors, settings=settings, tenants=tenants
        )
    return Hosts(
        db=db,
        leaders=leaders,
        wakes=wakes_of(settings, db),
        embedded=embedded,
        doorbell=_doorbell_of(settings, db, tenants, leaders),
    )


def _doorbell_of(
    settings: Settings, db: Database, tenants: Tenants, leaders: Leaders
) -> Doorbell | None:
    """Ring where there is a Redis and a database that workers can reach.

    Celery is an extra, and loaded by whoever needs it.
    """
    if not settings.redis_url.get_secret_value() or is_sqlite(db.engine):
        return None
    try:
        app = import_module("gateway.workers.celery_app").app_of(settings)
        send = import_module("gateway.workers.celery_ring").CeleryRing(app)
    except ImportError as fault:
        _log.warning("doorbell.absent", extra={"reason": str(fault)})
        return None
    return Doorbell(db, send, tenants=tenants, leaders=leaders)
