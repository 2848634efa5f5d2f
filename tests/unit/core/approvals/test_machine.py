"""Approvals against a plain model, over any sequence of requests: never too few people,
never twice, never after the state, the day or the people have changed (R-60)."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import bindparam

from core.approvals.requests import service as requests
from core.approvals.requests.model import Asked, RequestDraft
from core.approvals.rules.model import Demand
from core.database import METADATA, Database, Prepared, Tx, open_engine
from core.delivery.tables import inbox
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, Role, system
from core.kernel.problems import Problem
from gateway.recording import recorded
from tests.conftest import FakeClock

OPERATORS = ("ann", "bob", "carol", "dan")
EVERYBODY = (*OPERATORS, "vera", "robot")
DAY = timedelta(hours=24)

somebody = st.sampled_from(EVERYBODY)
_STARTED = Prepared(
    inbox.select()
    .with_only_columns(inbox.c.key)
    .where(inbox.c.tenant_id == bindparam("tenant"), inbox.c.channel == "approval")
)


@dataclass
class Model:
    """What an approval should do, said once more."""

    need: int
    status: str = "waiting"
    state: int = 0
    age: timedelta = timedelta()
    votes: set[str] = field(default_factory=set)
    disabled: set[str] = field(default_factory=set)
    runs: int = 0

    def may_decide(self, person: str) -> str:
        if person == "ann":
            return "self_approval"
        if person not in OPERATORS or person in self.disabled:
            return "no_approver"
        if self.status != "waiting" or self.age >= DAY or person in self.votes:
            return "conflict"
        return ""

    def approve(self, person: str) -> str:
        if problem := self.may_decide(person):
            return problem
        if self.state:
            self.status = "void"
            return "approval_void"
        self.votes.add(person)
        if len(self.votes - self.disabled) >= self.need:
            self.status = "approved"
        return ""

    def reject(self, person: str) -> str:
        if problem := self.may_decide(person):
            return problem
        self.status = "rejected"
        return ""

    def withdraw(self, person: str) -> str:
        if person != "ann":
            return "no_approver"
        if self.status != "waiting" or self.age >= DAY:
            return "conflict"
        self.status = "withdrawn"
        return ""

    def run(self, person: str) -> str:
        if person != "ann":
            return "no_approver"
        if self.status != "approved":
            return "conflict"
        if self.state:
            self.status = "void"
            return "approval_void"
        self.status = "ran"
        self.runs += 1
        return ""


class ApprovalMachine(RuleBasedStateMachine):
    """Every verb goes to the service and to the model; both must agree."""

    @initialize(need=st.integers(1, 3))
    def begin(self, need: int) -> None:
        self.folder = Path(mkdtemp())
        self.clock = FakeClock()
        engine = open_engine(f"sqlite:///{self.folder}/ops.db")
        METADATA.create_all(engine)
        self.db: Database = recorded(engine, clock=self.clock)
        self.people = {name: self._person(name) for name in EVERYBODY}
        self.model = Model(need=need)
        self.id = self.db.run(
            lambda tx: requests.ask(tx, _draft(need)).id, by=self._by("ann")
        )

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            shutil.rmtree(self.folder)

    @rule(person=somebody)
    def approve(self, person: str) -> None:
        digest = f"state {self.model.state}"
        told = self._outcome(
            lambda tx: requests.approve(tx, self.id, digest=digest), person
        )
        assert told == self.model.approve(person)

    @rule(person=somebody)
    def reject(self, person: str) -> None:
        told = self._outcome(lambda tx: requests.reject(tx, self.id), person)
        assert told == self.model.reject(person)

    @rule(person=somebody)
    def withdraw(self, person: str) -> None:
        told = self._outcome(lambda tx: requests.withdraw(tx, self.id), person)
        assert told == self.model.withdraw(person)

    @rule(person=somebody)
    def run(self, person: str) -> None:
        """Run it, as a worker would or as an intruder would like to."""
        digest = f"state {self.model.state}"
        told = self._outcome(
            lambda tx: requests.begin(tx, self.id, digest=digest), person
        )
        assert told == self.model.run(person)

    @rule()
    def change_the_target(self) -> None:
        self.model.state += 1

    @rule(hours=st.sampled_from([1, 12, 23]))
    def pass_time(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.model.age += timedelta(hours=hours)

    @rule()
    def sweep(self) -> None:
        self.db.run(requests.expire, by=system())

    @rule(person=st.sampled_from(["bob", "carol", "dan"]))
    def toggle(self, person: str) -> None:
        is_disabled = person in self.model.disabled
        change = users.enable if is_disabled else users.disable
        self.db.run(lambda tx: change(tx, self.people[person]), by=system())
        self.model.disabled ^= {person}

    @precondition(lambda self: hasattr(self, "db"))
    @invariant()
    def agrees_with_the_model(self) -> None:
        found = self.db.look(lambda tx: requests.get_(tx, self.id), by=system())
        is_late = self.model.status == "waiting" and self.model.age >= DAY
        assert found.status == ("expired" if is_late else self.model.status)

    @precondition(lambda self: hasattr(self, "db"))
    @invariant()
    def runs_once_and_never_with_too_few(self) -> None:
        started = self.db.look(lambda tx: tx.run(_STARTED), by=system())
        assert len(started) <= 1
        assert self.model.runs <= 1
        if started:
            assert len(self.model.votes) >= self.model.need
            assert "ann" not in self.model.votes

    def _person(self, name: str) -> str:
        if name == "robot":
            return name
        role = Role.VIEWER if name == "vera" else Role.OPERATOR
        return self.db.run(
            lambda tx: users.create(tx, name, roles=[role]).id, by=system()
        )

    def _by(self, name: str) -> Principal:
        if name == "robot":
            return system(name="robot")
        user = self.db.look(lambda tx: users.get_(tx, self.people[name]), by=system())
        return to_principal(user, Assurance.SECRET)

    def _outcome(self, work: Callable[[Tx], object], by: str) -> str:
        try:
            told = self.db.run(work, by=self._by(by))
        except Problem as problem:
            return problem.code
        return told.code if isinstance(told, Problem) else ""


def _draft(need: int) -> RequestDraft:
    return RequestDraft(
        command="task move",
        line="task move T-1 abandoned",
        target="T-1",
        digest="state 0",
        demand=Demand(need=need, role=Role.OPERATOR),
        asked=Asked(channel="slack"),
    )


ApprovalMachine.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestApprovals = ApprovalMachine.TestCase
