"""The queue as tests drive it: one unit for each call, by one person and one worker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from core.database import Database, Tx
from core.events import service as events
from core.events.model import Event, EventFilter
from core.kernel.lanes import Lane
from core.kernel.principal import Principal
from core.runs import calls, claims, controls, explain, service, sweep
from core.runs.model import NewRun, Progress, Run, RunError, RunStatus
from core.runs.reports import Beat, Outcome, Report, Wanted

T = TypeVar("T")

SECOND = timedelta(seconds=1)
SUCCEEDED = Outcome(status="succeeded", result={"answer": 42})
MINE = Wanted(worker="w1", limit=64)


def failed(code: str = "exit_code", *, is_final: bool = False) -> Outcome:
    """An attempt that failed."""
    error = RunError(code=code, detail="it broke", step="build")
    return Outcome(status="failed", error=error, is_final=is_final)


@dataclass(frozen=True)
class Queue:
    """A database's runs, for one principal who is also its worker's owner."""

    db: Database
    by: Principal

    def do(self, work: Callable[[Tx], T]) -> T:
        """Run one unit."""
        return self.db.run(work, by=self.by)

    def create(self, **fields: object) -> Run:
        """Make a run."""
        new = replace(NewRun(), **fields)  # type: ignore[arg-type]
        return self.do(lambda tx: service.create(tx, new))

    def claim(self, **fields: object) -> Sequence[Run]:
        """Claim as the worker w1, unless said otherwise; as much as there is."""
        wanted = replace(MINE, **fields)  # type: ignore[arg-type]
        return self.do(lambda tx: claims.claim(tx, wanted))

    def held(self, **fields: object) -> Run:
        """Make a run and claim it."""
        made = self.create(**fields)
        (run,) = [each for each in self.claim(labels=made.labels) if each.id == made.id]
        return run

    def running(self, **fields: object) -> Run:
        """Make a run, claim it and begin."""
        run = self.held(**fields)
        self.beat(run)
        return self.get(run)

    def beat(self, run: Run, progress: Progress | None = None) -> Beat:
        """Send a heartbeat."""
        return self.do(
            lambda tx: calls.beat(tx, run.id, fence=run.fence, progress=progress)
        )

    def report(self, run: Run, *reports: Report) -> Run:
        """Tell what happened."""
        return self.do(
            lambda tx: calls.report(tx, run.id, fence=run.fence, reports=reports)
        )

    def complete(self, run: Run, outcome: Outcome = SUCCEEDED) -> Run:
        """End the attempt."""
        return self.do(
            lambda tx: calls.complete(tx, run.id, fence=run.fence, outcome=outcome)
        )

    def hand_back(self, run: Run) -> Run:
        """Give it back."""
        return self.do(
            lambda tx: calls.hand_back(tx, run.id, fence=run.fence, reason="stopping")
        )

    def cancel(self, run: Run) -> Run:
        """Cancel it."""
        return self.do(lambda tx: controls.cancel(tx, run.id, reason="enough"))

    def pause(self, run: Run) -> Run:
        """Pause it."""
        return self.do(lambda tx: controls.pause(tx, run.id))

    def resume(self, run: Run) -> Run:
        """Resume it."""
        return self.do(lambda tx: controls.resume(tx, run.id))

    def sweep(self) -> sweep.Swept:
        """Sweep, having seen whether there was anything to do."""
        has_late = self.db.look(sweep.has_late, by=self.by)
        swept = self.do(sweep.sweep)
        assert has_late is any(
            getattr(swept, name) for name in sweep.Swept.__dataclass_fields__
        )
        return swept

    def get(self, run: Run) -> Run:
        """Read it again."""
        return self.db.look(lambda tx: service.get_(tx, run.id), by=self.by)

    def status(self, run: Run) -> RunStatus:
        """Read where it stands."""
        return self.get(run).status

    def why(self, run: Run) -> str:
        """Read the code of why it stands there."""
        found = self.get(run)
        return self.db.look(lambda tx: explain.explain(tx, found), by=self.by).code

    def events(self, about: str = "") -> Sequence[Event]:
        """Read the events, of one thing or all."""
        wanted = EventFilter(targets=frozenset({about}) if about else frozenset())
        return self.db.look(
            lambda tx: events.list_after(tx, 0, wanted, limit=10_000), by=self.by
        )

    def told(self, about: str) -> list[str]:
        """Read the types of the events about a thing."""
        return [event.type for event in self.events(about)]


def most_held(told: Sequence[Event], members: set[str]) -> int:
    """Count from the events how many of some runs were held at once, at most."""
    held: set[str] = set()
    most = 0
    for event in told:
        if event.target not in members:
            continue
        if event.type == "run_claimed":
            assert event.target not in held, event
            held.add(event.target)
        elif event.type in {
            "run_queued",
            "run_lost",
            "run_succeeded",
            "run_failed",
            "run_cancelled",
            "run_retry_scheduled",
        }:
            held.discard(event.target)
        most = max(most, len(held))
    return most


def lanes_of(runs: Sequence[Run]) -> list[Lane]:
    """Name the lanes of runs, in their order."""
    return [run.lane for run in runs]
