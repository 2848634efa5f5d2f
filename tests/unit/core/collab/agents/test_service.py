"""Agents: known by name, seen now and then, switched on and off."""

from datetime import timedelta

import pytest

from core.collab.agents import service as agents
from core.collab.agents.model import Agent, AgentStatus, view
from core.database import Database
from core.events import service as events
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import InvalidArgument, NotFound
from tests.conftest import FakeClock


def registered(db: Database, by: Principal, name: str, **facts: str) -> Agent:
    return db.run(
        lambda tx: agents.register(
            tx, name, role=facts.get("role", ""), skills=facts.get("skills", "").split()
        ),
        by=by,
    )


def version(db: Database, by: Principal) -> int:
    return db.look(lambda tx: tx.version("agents"), by=by)


def test_an_agent_is_shown_with_role_skills_status_and_last_seen(
    db: Database, ann: Principal
) -> None:
    """M-COL-10."""
    agent = registered(db, ann, "worker-1", role="builder", skills="python docs")

    assert view(agent) == {
        "id": "worker-1",
        "name": "worker-1",
        "role": "builder",
        "skills": ["python", "docs"],
        "status": "available",
        "is_available": True,
        "last_seen": "2026-11-04T09:00:00.000000Z",
        "registered_at": "2026-11-04T09:00:00.000000Z",
    }
    assert agent == db.look(lambda tx: agents.get_(tx, "worker-1"), by=ann)


def test_registering_again_renews_the_facts_and_keeps_the_switch(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    first = registered(db, ann, "worker-1", role="builder")
    db.run(lambda tx: agents.set_available(tx, "worker-1", is_available=False), by=ann)
    clock.advance(timedelta(hours=1))

    again = registered(db, ann, "worker-1", role="tester")

    assert (again.role, again.is_available) == ("tester", False)
    assert (again.registered_at, again.last_seen) == (first.registered_at, clock.now())


def test_the_switch_is_told_once(db: Database, ann: Principal) -> None:
    """M-COL-10: toggle availability."""
    registered(db, ann, "worker-1")
    for _ in range(2):
        db.run(
            lambda tx: agents.set_available(tx, "worker-1", is_available=False), by=ann
        )

    told = db.look(lambda tx: events.list_after(tx, 1), by=ann)
    assert [(event.type, event.details) for event in told] == [
        ("agent_changed", {"is_available": False}),
    ]


def test_being_seen_is_no_event_and_counts_every_ten_seconds(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    registered(db, ann, "worker-1")
    seen = []
    for _ in range(3):
        clock.advance(timedelta(seconds=6))
        seen.append(db.run(lambda tx: agents.touch(tx, "worker-1"), by=ann).last_seen)

    assert seen[0] < seen[1] == seen[2]
    assert version(db, ann) == 2
    assert db.look(events.last_seq, by=ann) == 1


def test_filters_narrow_the_list(db: Database, ann: Principal) -> None:
    registered(db, ann, "b", role="builder", skills="python")
    registered(db, ann, "a", role="tester", skills="python docs")
    db.run(lambda tx: agents.set_status(tx, "a", AgentStatus.BUSY), by=ann)
    db.run(lambda tx: agents.set_available(tx, "b", is_available=False), by=ann)

    def names(**wanted: str) -> list[str]:
        found = db.look(
            lambda tx: agents.list_(
                tx,
                role=wanted.get("role", ""),
                skill=wanted.get("skill", ""),
                status=AgentStatus(wanted["status"]) if "status" in wanted else None,
            ),
            by=ann,
        )
        return [agent.name for agent in found]

    assert names() == ["a", "b"]
    assert names(role="builder") == ["b"]
    assert names(skill="docs") == ["a"]
    assert names(status="busy") == ["a"]
    free = db.look(lambda tx: agents.list_(tx, is_available=True), by=ann)
    assert [agent.name for agent in free] == ["a"]


def test_an_unknown_agent_is_not_found(db: Database, ann: Principal) -> None:
    with pytest.raises(NotFound):
        db.run(lambda tx: agents.touch(tx, "nobody"), by=ann)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 101, "a\0"])
def test_a_name_that_cannot_be_shown_is_refused(
    db: Database, ann: Principal, name: str
) -> None:
    with pytest.raises(InvalidArgument):
        registered(db, ann, name)


def test_a_tenant_sees_its_own_agents_only(db: Database, ann: Principal) -> None:
    """R-59."""
    eve = system(TenantId("other"), name="eve")
    registered(db, ann, "worker-1")

    assert db.look(agents.list_, by=eve) == []
