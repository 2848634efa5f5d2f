"""A gateway whose clock a test moves, and whose schedules fire when it says so."""

from datetime import datetime, timedelta
from typing import Any

from core.database import Tx
from core.kernel.principal import system
from core.runs import controls
from core.runs import service as runs
from core.runs.calls import complete
from core.runs.claims import claim_one
from core.runs.model import NewRun, RetryRule, RunError
from core.runs.reports import Outcome, Wanted
from gateway.flags import FlagFile
from gateway.schedules import Scheduler
from tests.api.gateway import Answer, Gateway, Person
from tests.api.triggers import Triggering

WORKER = system(name="worker")


class Scheduling(Triggering):
    """A gateway with two schedulers, as if there were two gateways on one database."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway)
        graph = gateway.graph
        self.flags = gateway.settings.data / "flags.json"
        flags = FlagFile(self.flags)
        self.schedulers = [
            Scheduler(graph.db, flags, drain=graph.intake.drain) for _ in range(2)
        ]

    async def tick(self) -> None:
        """Have both look whether something is due, and run what is."""
        for each in self.schedulers:
            await each.tick()
        await self.settle()

    async def pass_by(self, length: timedelta) -> None:
        """Move the clock on, then look."""
        self.gateway.clock.advance(length)
        await self.tick()

    async def look_at(self, moment: datetime) -> None:
        """Set the clock, then look."""
        self.gateway.clock.moment = moment
        await self.tick()

    async def schedule(
        self, line: str, *, by: Person | None = None, **body: Any
    ) -> str:
        """Make a schedule as a script does, and give its id."""
        answer = await self.asked(line, by=by, **body)
        assert answer.status == 201, answer
        return str(answer.body["id"])

    async def asked(
        self, line: str, *, by: Person | None = None, **body: Any
    ) -> Answer:
        """Ask for a schedule, whatever the answer is."""
        return await (by or self.admin).post("/schedule", {"line": line, **body})

    async def shown(self, schedule: str) -> dict[str, Any]:
        """Look at a schedule."""
        return dict((await self.admin.get(f"/schedule/{schedule}")).body)

    async def ticks(self, schedule: str) -> list[dict[str, Any]]:
        """List a schedule's moments, the newest first."""
        answer = await self.admin.get(f"/schedule/{schedule}/ticks")
        return list(answer.body["items"])

    async def states(self, schedule: str) -> list[str]:
        """List what became of a schedule's moments, the oldest first."""
        return [str(each["state"]) for each in reversed(await self.ticks(schedule))]

    # ── runs, as a worker would have them ─────────────────────────────────────
    def a_run(self) -> str:
        """Make a run that a worker may take."""
        make = NewRun(kind="sample", retry=RetryRule(max_attempts=1))
        return self.gateway.graph.db.run(lambda tx: runs.create(tx, make), by=WORKER).id

    def end(self, run_id: str, *, fails: bool = False) -> None:
        """Take a run and end it."""

        def work(tx: Tx) -> None:
            held = claim_one(tx, run_id, Wanted(worker="w1"))
            assert held is not None
            error = RunError(code="boom", detail="it broke")
            ending = (
                Outcome(status="failed", error=error)
                if fails
                else Outcome(status="succeeded")
            )
            complete(tx, run_id, fence=held.fence, outcome=ending)

        self.gateway.graph.db.run(work, by=WORKER)

    def cancel(self, run_id: str) -> None:
        """Cancel a run."""
        self.gateway.graph.db.run(
            lambda tx: controls.cancel(tx, run_id, reason="wrong"), by=WORKER
        )
