"""R-28: tasks and leases against a plain model, over any sequence of requests."""

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from core.collab import documents, tasks
from core.collab import service as collab
from core.collab.replay import replay
from core.collab.tasks import Status
from core.database import METADATA, Database, Tx, open_engine
from core.events import service as events
from core.events.recorder import EventRecorder
from core.kernel.etag import digest, entity_tag
from core.kernel.principal import system
from core.kernel.problems import Problem
from core.leases import service as leases
from core.leases import store as lease_store
from tests.conftest import FakeClock
from tests.unit.core.collab.board_model import TTL, Board, ModelTask

Result = TypeVar("Result")
PEOPLE = {name: system(name=name) for name in ("ann", "bob", "system")}
people = st.sampled_from(["ann", "bob"])


class BoardMachine(RuleBasedStateMachine):
    """Every request goes to the services and to the model; both must agree."""

    known = Bundle("known")

    @initialize()
    def open(self) -> None:
        self.folder = Path(mkdtemp())
        self.clock = FakeClock()
        self.model = Board()
        engine = open_engine(f"sqlite:///{self.folder}/ops.db")
        METADATA.create_all(engine)
        self.db = Database(engine, recorders=[EventRecorder()], clock=self.clock)

    def teardown(self) -> None:
        self.db.close()
        shutil.rmtree(self.folder)

    def outcome(self, work: Callable[[Tx], object], by: str) -> str:
        try:
            self.db.run(work, by=PEOPLE[by])
        except Problem as problem:
            return problem.code
        return ""

    @rule(target=known, by=people, need=st.none() | known)
    def create(self, by: str, need: str | None) -> str:
        needs = [need] if need else []
        task = self.db.run(
            lambda tx: tasks.create(tx, title="Fix login", dod=["tests"], needs=needs),
            by=PEOPLE[by],
        )
        self.model.tasks[task.id] = ModelTask(needs=needs)
        return task.id

    @rule(task_id=known, by=people)
    def claim(self, task_id: str, by: str) -> None:
        got = self.outcome(
            lambda tx: tasks.claim(tx, task_id, ttl=timedelta(seconds=TTL)), by
        )

        assert got == self.model.claim(task_id, by)

    @rule(task_id=known, to=st.sampled_from(Status), by=people)
    def move(self, task_id: str, to: Status, by: str) -> None:
        if to is Status.CLAIMED:
            return
        got = self.outcome(
            lambda tx: tasks.transition(tx, task_id, to, reason="why"), by
        )

        assert got == self.model.move(task_id, to.value, by)

    @rule(task_id=known, by=people)
    def step_on(self, task_id: str, by: str) -> None:
        """Take the usual next step, so that many tasks get far."""
        task = self.db.look(lambda tx: tasks.get_(tx, task_id), by=PEOPLE[by])
        following = tasks.moves_from(task)
        if following:
            self.move(task_id, following[0], by)

    @rule(task_id=known)
    def tick(self, task_id: str) -> None:
        assert (
            self.outcome(lambda tx: tasks.tick_dod(tx, task_id, "tests"), "ann") == ""
        )
        self.model.tasks[task_id].is_ticked = True

    @rule(task_id=known, by=people, offset=st.sampled_from([0, 0, 1]))
    def renew(self, task_id: str, by: str, offset: int) -> None:
        """Renew with the right fence or a wrong one, early or late."""
        lease = self.model.leases.get(task_id)
        if lease is None:
            return
        got = self.outcome(
            lambda tx: leases.heartbeat(
                tx, _lock_id(tx, task_id), fence=lease.fence + offset
            ),
            by,
        )

        assert got == self._expected(task_id, by, offset)
        if not got:
            lease.beat = self.model.now

    @rule(task_id=known, by=people)
    def give_back(self, task_id: str, by: str) -> None:
        lease = self.model.leases.get(task_id)
        if lease is None:
            return
        got = self.outcome(
            lambda tx: collab.release(tx, _lock_id(tx, task_id), fence=lease.fence), by
        )

        assert got == self._expected(task_id, by, 0)
        if not got:
            self.model.release(task_id)

    @rule(task_id=known)
    def take_away(self, task_id: str) -> None:
        if task_id not in self.model.leases:
            return
        got = self.outcome(
            lambda tx: collab.reclaim(
                tx, _lock_id(tx, task_id), reason="why", is_forced=True
            ),
            "bob",
        )

        assert got == ""
        self.model.end(task_id)

    @rule(seconds=st.sampled_from([1, TTL, TTL + 1]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.model.now += seconds

    @rule()
    def sweep(self) -> None:
        ended = self.db.run(collab.sweep, by=PEOPLE["system"])

        assert {each.lease.resource for each in ended} == self.model.sweep()

    @invariant()
    def tasks_and_leases_are_as_the_model_says(self) -> None:
        body, etag = self._look(documents.tasks_document)
        shown = json.loads(body)["tasks"]
        held = self._look(lease_store.list_all)

        assert {
            task["id"]: (
                task["status"],
                task["assignee"],
                task["implementer"],
                task["blocked_from"],
            )
            for task in shown
        } == {
            task_id: (task.status, task.assignee, task.implementer, task.came_from)
            for task_id, task in self.model.tasks.items()
        }
        assert {lease.resource: (lease.holder, lease.fence) for lease in held} == {
            task_id: (lease.holder, lease.fence)
            for task_id, lease in self.model.leases.items()
        }
        version = self._look(lambda tx: tx.version("tasks"))
        assert etag == entity_tag(version, digest(body))
        assert all(task["version"] <= version for task in shown)

    @invariant()
    def the_events_alone_rebuild_the_board(self) -> None:
        body, _ = self._look(documents.tasks_document)
        told = self._look(lambda tx: events.list_after(tx, 0, limit=10_000))

        assert [event.seq for event in told] == list(range(1, len(told) + 1))
        assert replay(told) == json.loads(body)["tasks"]

    @invariant()
    def a_lease_on_a_task_means_that_somebody_works_on_it(self) -> None:
        for task_id in self.model.leases:
            assert self.model.tasks[task_id].status in ("claimed", "in_progress")

    def _look(self, work: Callable[[Tx], Result]) -> Result:
        return self.db.look(work, by=PEOPLE["ann"])

    def _expected(self, task_id: str, by: str, offset: int) -> str:
        if self.model.leases[task_id].holder != by:
            return "forbidden"
        is_lost = offset or not self.model.is_live(task_id)
        return "lease_lost" if is_lost else ""


def _lock_id(tx: Tx, task_id: str) -> str:
    lease = leases.find_on(tx, task_id)
    assert lease is not None
    return lease.lock_id


BoardMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBoard = BoardMachine.TestCase
