"""The queue against a small model of it, step by step (R-28)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from core.database import Database
from core.kernel.lanes import Lane
from core.kernel.principal import TenantId, system
from core.kernel.problems import IllegalMove, LeaseLost
from core.runs.lanes import service as lanes
from core.runs.model import (
    TERMINAL,
    Backoff,
    RetryRule,
    Run,
    RunFilter,
    RunStatus,
)
from core.runs.service import list_
from tests.conftest import FakeClock
from tests.queues import SECOND, SUCCEEDED, Queue, failed

S = RunStatus
TENANTS = count(1)
LEASE = timedelta(seconds=30)
ROOM = {Lane.A: 3, Lane.B: 2, Lane.C: 2, Lane.D: 1}
KEYS = {"": 99, "one": 1, "two": 2}
ATTEMPTS = 2


@dataclass
class Sketch:
    """What the model knows of a run."""

    lane: Lane
    key: str
    status: RunStatus
    at: datetime
    attempt: int = 0
    fence: int = 0
    until: datetime | None = None
    past: list[int] = field(default_factory=list)

    @property
    def is_held(self) -> bool:
        return self.until is not None

    def let_go(self, status: RunStatus, *, is_taken: bool = False) -> None:
        self.past.append(self.fence)
        self.fence += is_taken
        self.until, self.status = None, status


class QueueMachine(RuleBasedStateMachine):
    """Does to the queue what it does to the model, and compares the two."""

    ids = Bundle("ids")
    db: Database
    clock: FakeClock

    def __init__(self) -> None:
        super().__init__()
        by = system(TenantId(f"tenant-{next(TENANTS)}"), name="ann")
        self.queue = Queue(self.db, by)
        self.model: dict[str, Sketch] = {}
        for lane, room in ROOM.items():
            self.queue.do(partial(lanes.set_, lane=lane, concurrency=room))

    @rule(
        target=ids,
        lane=st.sampled_from(Lane),
        key=st.sampled_from(sorted(KEYS)),
        later=st.sampled_from([0, 0, 40]),
        is_asked=st.booleans(),
    )
    def create(self, lane: Lane, key: str, later: int, is_asked: bool) -> str:
        at = self.clock.now() + later * SECOND
        run = self.queue.create(
            lane=lane,
            concurrency_key=key,
            concurrency_limit=KEYS[key],
            starts_at=at,
            needs_approval=is_asked and later == 0,
            retry=RetryRule(
                max_attempts=ATTEMPTS, backoff=Backoff.FIXED, base=20 * SECOND
            ),
        )
        waits = S.AWAITING_APPROVAL if is_asked and later == 0 else S.QUEUED
        status = S.SCHEDULED if later else waits
        self.model[run.id] = Sketch(lane=lane, key=key, status=status, at=at)
        return run.id

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        self._wake()
        free = self._free()
        given = self.queue.claim(limit=limit)
        for run in given:
            sketch = self.model[run.id]
            assert sketch.status is S.QUEUED
            sketch.status, sketch.until = S.CLAIMED, self.clock.now() + LEASE
            sketch.attempt, sketch.fence = sketch.attempt + 1, sketch.fence + 1
            assert (run.attempt, run.fence) == (sketch.attempt, sketch.fence)
        assert bool(given) is bool(free)

    @rule(run_id=ids)
    def beat(self, run_id: str) -> None:
        sketch = self.model[run_id]
        run = self._run(run_id, sketch.fence)
        if not sketch.is_held:
            self._refused(self.queue.beat, run)
            return
        told = self.queue.beat(run)
        assert told.cancel is (sketch.status is S.CANCELLING)
        assert told.pause is (sketch.status is S.PAUSED)
        sketch.until = self.clock.now() + LEASE
        if sketch.status is S.CLAIMED:
            sketch.status = S.RUNNING

    @rule(run_id=ids, is_good=st.booleans())
    def complete(self, run_id: str, is_good: bool) -> None:
        sketch = self.model[run_id]
        if not sketch.is_held:
            return
        outcome = SUCCEEDED if is_good else failed()
        run = self.queue.complete(self._run(run_id, sketch.fence), outcome)
        if sketch.status is S.CANCELLING:
            sketch.let_go(S.CANCELLED)
        elif is_good:
            sketch.let_go(S.SUCCEEDED)
        elif sketch.attempt < ATTEMPTS:
            sketch.let_go(S.RETRY_WAIT)
            assert self.clock.now() <= run.available_at
            assert run.available_at <= self.clock.now() + 20 * SECOND
            sketch.at = run.available_at
        else:
            sketch.let_go(S.FAILED)
        assert self.queue.complete(run, outcome) == run

    @rule(run_id=ids)
    def hand_back(self, run_id: str) -> None:
        sketch = self.model[run_id]
        if not sketch.is_held:
            return
        self.queue.hand_back(self._run(run_id, sketch.fence))
        if sketch.status is S.CANCELLING:
            sketch.let_go(S.CANCELLED, is_taken=True)
            return
        sketch.attempt -= 1
        is_paused = sketch.status is S.PAUSED
        sketch.let_go(S.PAUSED if is_paused else S.QUEUED, is_taken=True)
        sketch.at = sketch.at if is_paused else self.clock.now()

    @rule(run_id=ids)
    def be_late(self, run_id: str) -> None:
        """A worker that had the run once says something now."""
        sketch = self.model[run_id]
        for fence in sketch.past:
            if fence != sketch.fence:
                self._refused(self.queue.complete, self._run(run_id, fence))

    @rule(run_id=ids)
    def cancel(self, run_id: str) -> None:
        sketch = self.model[run_id]
        run = self._run(run_id, 0)
        if sketch.status in TERMINAL - {S.CANCELLED}:
            with pytest.raises(IllegalMove):
                self.queue.cancel(run)
            return
        self.queue.cancel(run)
        if sketch.is_held:
            sketch.status = S.CANCELLING
        else:
            sketch.status = S.CANCELLED

    @rule(run_id=ids)
    def pause(self, run_id: str) -> None:
        sketch = self.model[run_id]
        run = self._run(run_id, 0)
        if sketch.status in TERMINAL | {S.AWAITING_APPROVAL, S.CANCELLING}:
            with pytest.raises(IllegalMove):
                self.queue.pause(run)
            return
        self.queue.pause(run)
        sketch.status = S.PAUSED

    @rule(run_id=ids)
    def resume(self, run_id: str) -> None:
        sketch = self.model[run_id]
        run = self._run(run_id, 0)
        if sketch.status is not S.PAUSED:
            with pytest.raises(IllegalMove):
                self.queue.resume(run)
            return
        self.queue.resume(run)
        if sketch.is_held:
            sketch.status = S.RUNNING
        else:
            is_later = sketch.at > self.clock.now()
            sketch.status = S.SCHEDULED if is_later else S.QUEUED

    @rule(seconds=st.sampled_from([1, 10, 31]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds * SECOND)

    @precondition(lambda self: self.model)
    @rule()
    def sweep(self) -> None:
        self.queue.sweep()
        for sketch in self.model.values():
            if sketch.until is not None and sketch.until < self.clock.now():
                self._lose(sketch)
        self._wake()

    @invariant()
    def same(self) -> None:
        stored = self._stored()
        assert {run.id: run.status for run in stored} == {
            run_id: sketch.status for run_id, sketch in self.model.items()
        }
        for run in stored:
            sketch = self.model[run.id]
            assert (run.fence, run.attempt) == (sketch.fence, sketch.attempt)
            assert run.lease_expires_at == sketch.until

    @invariant()
    def bounded(self) -> None:
        held = [each for each in self.model.values() if each.is_held]
        for lane, room in ROOM.items():
            assert sum(each.lane is lane for each in held) <= room
        for key, most in KEYS.items():
            assert sum(each.key == key for each in held) <= most

    def _lose(self, sketch: Sketch) -> None:
        if sketch.status is S.CANCELLING:
            sketch.let_go(S.CANCELLED, is_taken=True)
        elif sketch.attempt >= ATTEMPTS:
            sketch.let_go(S.FAILED, is_taken=True)
        elif sketch.status is S.PAUSED:
            sketch.let_go(S.PAUSED, is_taken=True)
        else:
            sketch.let_go(S.QUEUED, is_taken=True)
            sketch.at = self.clock.now()

    def _wake(self) -> None:
        for sketch in self.model.values():
            is_waiting = sketch.status in {S.SCHEDULED, S.RETRY_WAIT}
            if is_waiting and sketch.at <= self.clock.now():
                sketch.status = S.QUEUED

    def _free(self) -> list[Sketch]:
        held = [each for each in self.model.values() if each.is_held]
        return [
            each
            for each in self.model.values()
            if each.status is S.QUEUED
            and sum(other.lane is each.lane for other in held) < ROOM[each.lane]
            and sum(other.key == each.key for other in held) < KEYS[each.key]
        ]

    def _stored(self) -> list[Run]:
        page = self.queue.db.look(
            lambda tx: list_(tx, RunFilter(), limit=100), by=self.queue.by
        )
        return [*page.items]

    def _run(self, run_id: str, fence: int) -> Run:
        stored = next(run for run in self._stored() if run.id == run_id)
        return replace(stored, fence=fence)

    def _refused(self, call: Callable[[Run], object], run: Run) -> None:
        with pytest.raises(LeaseLost):
            call(run)


def check(db: Database, clock: FakeClock, *, examples: int, steps: int) -> None:
    """Let the machine run on a database, each example in a tenant of its own."""
    machine = type("Machine", (QueueMachine,), {"db": db, "clock": clock})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_queue_does_what_its_model_does(db: Database, clock: FakeClock) -> None:
    """`R-28`: states, fences, attempts, lanes and keys, after every step."""
    check(db, clock, examples=12, steps=40)


@pytest.mark.soak
def test_queue_does_what_its_model_does_for_long(
    db: Database, clock: FakeClock
) -> None:
    """`R-28`: 500 x 100 steps."""
    check(db, clock, examples=500, steps=100)
