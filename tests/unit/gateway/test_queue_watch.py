"""The queue is swept, counted and forgotten by what runs beside answering."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from core.database import Database
from core.identity.tenants import service as tenants
from core.kernel.lanes import Lane
from core.kernel.principal import Principal, TenantId, system
from core.runs.model import RunStatus
from core.runs.service import list_
from gateway.flags import FlagFile
from gateway.metrics import Metrics
from gateway.purge import Purge
from gateway.queue_watch import QueueWatch
from gateway.settings import KeepSettings
from gateway.sweeper import Sweeper
from tests.conftest import FakeClock
from tests.queues import SECOND, Queue

ACME = system(TenantId("acme"), name="carol")


@pytest.fixture
def queues(db: Database, ann: Principal) -> list[Queue]:
    """The queues of two tenants."""
    db.run(tenants.ensure_default, by=ann)
    db.run(partial(tenants.create, tenant="acme"), by=ann)
    return [Queue(db, ann), Queue(db, ACME)]


async def test_runs_of_all_tenants_are_swept(
    db: Database, queues: list[Queue], clock: FakeClock, tmp_path: Path
) -> None:
    """`M-RUN-15`: whichever gateway comes by."""
    runs = [queue.running() for queue in queues]
    clock.advance(31 * SECOND)

    await Sweeper(db, FlagFile(tmp_path / "flags.json")).sweep()

    for queue, run in zip(queues, runs, strict=True):
        assert queue.status(run) is RunStatus.QUEUED


async def test_figures_are_those_of_all_tenants(
    db: Database, queues: list[Queue], clock: FakeClock
) -> None:
    """`M-RUN-23`: as Prometheus reads them."""
    for queue in queues:
        queue.held(lane=Lane.B)
        queue.create(lane=Lane.B)
    clock.advance(65 * SECOND)
    metrics = Metrics()

    await QueueWatch(db, metrics).look()

    text = metrics.exposition().decode()
    assert 'opswire_runs{lane="B",state="queued"} 2.0' in text
    assert 'opswire_runs{lane="B",state="held"} 2.0' in text
    assert 'opswire_runs{lane="A",state="held"} 0.0' in text
    assert "opswire_runs_oldest_seconds 65.0" in text
    assert "opswire_runs_stuck 2.0" in text


async def test_old_runs_are_purged(
    db: Database, queues: list[Queue], clock: FakeClock
) -> None:
    async def ids() -> list[TenantId]:
        return [queue.by.tenant for queue in queues]

    for queue in queues:
        queue.complete(queue.held())
    clock.advance(timedelta(days=3))
    left = queues[0].complete(queues[0].held())

    await Purge(db, KeepSettings(run_days=2), tenants=ids).run()

    kept = [[run.id for run in queue.do(list_).items] for queue in queues]
    assert kept == [[left.id], []]
