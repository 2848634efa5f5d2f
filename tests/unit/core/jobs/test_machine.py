"""Jobs and variants against a plain model, over any sequence of what people and workers
do: at most one accepted, nothing after the end, and nothing made twice."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from core.database import METADATA, Database, Tx, open_engine
from core.jobs import progress
from core.jobs import service as jobs
from core.jobs.exports import service as exports
from core.jobs.model import STEP, TERMINAL, Job, NewJob
from core.jobs.variants import service as variants
from core.kernel.principal import system
from core.kernel.problems import Problem
from core.runs import calls, controls
from core.runs import service as runs
from core.runs.model import RunError
from core.runs.reports import Outcome
from gateway.recording import recorded
from tests.conftest import FakeClock
from tests.jobs import claim_for, result_of

ANN = system(name="ann")
MADE = ("V-1", "V-2")

one = st.sampled_from(MADE)


@dataclass
class Model:
    """What a job should do, said once more."""

    status: str = "queued"
    run: str = "queued"
    accepted: str = ""
    bodies: dict[str, str] = field(default_factory=dict)
    exports: int = 0


class JobMachine(RuleBasedStateMachine):
    """Every verb goes to the service and to the model; both must agree."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(mkdtemp())
        engine = open_engine(f"sqlite:///{self.folder}/ops.db")
        METADATA.create_all(engine)
        self.db: Database = recorded(engine, clock=FakeClock())
        self.job = self.db.run(lambda tx: jobs.create(tx, NewJob(title="N")), by=ANN)
        self.model = Model()
        self.fence = 0

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            shutil.rmtree(self.folder)

    @rule()
    def claim(self) -> None:
        if self.model.run != "queued":
            return
        held = self.db.run(lambda tx: claim_for(tx, self.job), by=ANN)
        self.fence, self.model.run = held.fence, "claimed"
        self._note(progress.begin)
        if self.model.status == "queued":
            self.model.status = "running"

    @rule(is_good=st.booleans())
    def end(self, is_good: bool) -> None:
        if self.model.run not in ("claimed", "cancelling"):
            return
        outcome = (
            Outcome(status="succeeded", result=result_of("one", "two"))
            if is_good
            else Outcome(
                status="failed",
                error=RunError(code="boom", detail="no", step=STEP),
                is_final=True,
            )
        )
        self.db.run(
            lambda tx: calls.complete(
                tx, self.job.run_id, fence=self.fence, outcome=outcome
            ),
            by=ANN,
        )
        was, self.model.run = self.model.run, "over"
        if was == "cancelling":
            self._note(lambda tx, job: progress.abandon(tx, job, "cancelled"))
            if self.model.status in ("queued", "running"):
                self.model.status = "cancelled"
        elif is_good:
            for _ in range(2):
                self._note(
                    lambda tx, job: progress.complete(
                        tx, job, runs.get_(tx, job.run_id)
                    )
                )
            if self.model.status == "running":
                self.model.status = "review"
                self.model.bodies = dict(zip(MADE, ("one", "two"), strict=True))
        else:
            self._note(lambda tx, job: progress.fail(tx, job, "boom"))
            if self.model.status == "running":
                self.model.status = "failed"

    @rule()
    def cancel_the_run(self) -> None:
        self._try(lambda tx: controls.cancel(tx, self.job.run_id))
        if self.model.run == "queued":
            self.model.run = "over"
            self._note(lambda tx, job: progress.abandon(tx, job, "cancelled"))
            if self.model.status == "queued":
                self.model.status = "cancelled"
        elif self.model.run == "claimed":
            self.model.run = "cancelling"

    @rule()
    def cancel(self) -> None:
        told = self._try(lambda tx: jobs.cancel(tx, self.job.id))
        over = self.model.status in ("exported", "failed")
        assert told == ("illegal_move" if over else "")
        if over:
            return
        if self.model.status in ("queued", "running"):
            ends = {"queued": "over", "claimed": "cancelling"}
            self.model.run = ends.get(self.model.run, self.model.run)
        self.model.status = "cancelled"

    @rule(which=one, body=st.sampled_from(["one", "new", "newer"]))
    def edit(self, which: str, body: str) -> None:
        told = self._try(lambda tx: variants.edit(tx, which, body=body))
        if which not in self.model.bodies:
            assert told == "not_found"
        elif self.model.bodies[which] == body:
            assert told == ""
        elif self.model.status == "review":
            assert told == ""
            self.model.bodies[which] = body
        else:
            assert told == "conflict"

    @rule(which=one)
    def accept(self, which: str) -> None:
        told = self._try(lambda tx: variants.accept(tx, which))
        if which not in self.model.bodies:
            assert told == "not_found"
        elif self.model.accepted == which:
            assert told == ""
        elif self.model.status in ("review", "accepted"):
            assert told == ""
            self.model.status, self.model.accepted = "accepted", which
        else:
            assert told == "illegal_move"

    @rule(which=one)
    def withdraw(self, which: str) -> None:
        told = self._try(lambda tx: variants.withdraw(tx, which))
        if which not in self.model.bodies:
            assert told == "not_found"
        elif self.model.accepted != which:
            assert told == ""
        elif self.model.status == "accepted":
            assert told == ""
            self.model.status, self.model.accepted = "review", ""
        else:
            assert told == "illegal_move"

    @rule(which=one)
    def export(self, which: str) -> None:
        told = self._try(lambda tx: exports.create(tx, which))
        if which not in self.model.bodies:
            assert told == "not_found"
        elif which == self.model.accepted and self.model.status != "cancelled":
            assert told == ""
            self.model.status = "exported"
            self.model.exports += 1
        else:
            assert told == "conflict"

    @invariant()
    def agrees_with_the_model(self) -> None:
        if not hasattr(self, "db"):
            return
        job = self.db.look(lambda tx: jobs.get_(tx, self.job.id), by=ANN)
        made = self.db.look(lambda tx: variants.list_(tx, self.job.id), by=ANN)
        kept = self.db.look(exports.list_, by=ANN).items
        assert (job.status, job.accepted) == (self.model.status, self.model.accepted)
        assert {each.id: each.body for each in made} == self.model.bodies
        chosen = [each.id for each in made if each.is_accepted]
        assert chosen == ([job.accepted] if job.accepted else [])
        assert (job.finished_at is not None) == (job.status in TERMINAL)
        assert len(kept) == self.model.exports

    def _note(self, note: Callable[[Tx, Job], object]) -> None:
        """Have the job hear of its run, as the consumer tells it."""
        self.db.run(lambda tx: note(tx, jobs.get_(tx, self.job.id)), by=ANN)

    def _try(self, work: Callable[[Tx], object]) -> str:
        try:
            self.db.run(work, by=ANN)
        except Problem as problem:
            return problem.code
        return ""


JobMachine.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestJobs = JobMachine.TestCase
