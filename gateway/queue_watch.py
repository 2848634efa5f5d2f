"""Keeps the figures of the queue, of all tenants together, where Prometheus reads them."""

from collections import Counter

from core.database import Database, Tx
from core.kernel.lanes import Lane
from core.kernel.principal import system
from core.runs.lanes import figures
from core.runs.lanes.figures import QueueFigures
from gateway.metrics import Metrics
from gateway.sweeper import list_tenants


class QueueWatch:
    """Looks at the queue now and then, as a reader."""

    def __init__(self, db: Database, metrics: Metrics) -> None:
        self._db = db
        self._metrics = metrics

    async def look(self) -> None:
        """Count what waits and what is held, and how long the oldest has waited."""
        queued: Counter[Lane] = Counter()
        held: Counter[Lane] = Counter()
        oldest, stuck = 0.0, 0
        for tenant in await self._db.read(list_tenants, by=system()):
            by = system(tenant, name="watch")
            found, waited = await self._db.read(_read, by=by)
            queued.update(found.queued)
            held.update(found.held)
            oldest, stuck = max(oldest, waited), stuck + found.stuck
        for lane in Lane:
            self._metrics.runs.labels(lane.value, "queued").set(queued[lane])
            self._metrics.runs.labels(lane.value, "held").set(held[lane])
        self._metrics.oldest_run.set(oldest)
        self._metrics.stuck_runs.set(stuck)


def _read(tx: Tx) -> tuple[QueueFigures, float]:
    found = figures.read(tx)
    return found, figures.waited(found, tx.now)
