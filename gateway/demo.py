"""Demo mode: an empty board is filled with the backlog, through the one road."""

from core.collab import tasks
from core.database import Database, Tx
from core.kernel.clock import Clock
from core.kernel.envelope import Envelope
from core.kernel.principal import Principal, system
from gateway import seed
from gateway.flags import FlagFile
from gateway.pipeline import Pipeline
from gateway.seed import BacklogTask


class Demo:
    """Looks now and then whether there is a board to fill."""

    def __init__(
        self, db: Database, pipeline: Pipeline, *, flags: FlagFile, clock: Clock
    ) -> None:
        self._db = db
        self._pipeline = pipeline
        self._flags = flags
        self._clock = clock
        self._by: Principal = system(name="demo")

    async def fill(self) -> None:
        """Create the backlog once, if demo mode is on and there are no tasks."""
        if not self._flags.current().demo_mode:
            return
        if await self._db.read(_has_tasks, by=self._by):
            return
        for task in seed.BACKLOG:
            await self._pipeline.handle(self._envelope(task))

    def _envelope(self, task: BacklogTask) -> Envelope:
        return Envelope(
            channel="demo",
            external_id=task.key,
            sender=self._by.id,
            command="task create",
            args=task.args,
            received_at=self._clock.now(),
            credential=self._by,
        )


def _has_tasks(tx: Tx) -> bool:
    return bool(tasks.count_by_status(tx))
