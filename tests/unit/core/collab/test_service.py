"""Leases that end take their tasks back to the queue."""

from datetime import timedelta

import pytest

from core.collab import service as collab
from core.collab import tasks
from core.collab.tasks import Status
from core.database import Database
from core.events import service as events
from core.kernel.principal import Principal, system
from core.kernel.problems import LeaseHeld, LeaseLost, NotFound
from core.leases import service as leases
from core.leases.model import Lease
from tests.builders import a_task, moved
from tests.conftest import FakeClock

MINUTE = timedelta(seconds=60)


def taken(db: Database, by: Principal, resource: str) -> Lease:
    return db.run(lambda tx: collab.acquire(tx, resource, ttl=MINUTE), by=by)


def status_of(db: Database, by: Principal, task_id: str) -> Status:
    return db.look(lambda tx: tasks.get_(tx, task_id), by=by).status


def test_acquiring_a_tasks_id_is_claiming_it(db: Database, ann: Principal) -> None:
    task = a_task(db, ann)

    lease = taken(db, ann, task.id)

    assert (lease.resource, lease.holder) == ("T-1", "ann")
    assert status_of(db, ann, task.id) is Status.CLAIMED


def test_acquiring_anything_else_takes_a_plain_lease(
    db: Database, ann: Principal
) -> None:
    assert taken(db, ann, "deploy/web").resource == "deploy/web"


def test_acquiring_an_unknown_task_is_refused(db: Database, ann: Principal) -> None:
    with pytest.raises(NotFound):
        taken(db, ann, "T-9")


def test_releasing_the_lease_of_a_claimed_task_requeues_it(
    db: Database, ann: Principal
) -> None:
    task = a_task(db, ann)
    lease = taken(db, ann, task.id)

    ended = db.run(
        lambda tx: collab.release(tx, lease.lock_id, fence=lease.fence), by=ann
    )

    assert ended.task is not None
    assert (ended.task.status, ended.task.assignee) == (Status.QUEUED, "")


def test_releasing_the_lease_of_a_begun_task_leaves_it_with_its_assignee(
    db: Database, ann: Principal
) -> None:
    task = a_task(db, ann)
    lease = taken(db, ann, task.id)
    moved(db, ann, task.id, Status.IN_PROGRESS)

    ended = db.run(
        lambda tx: collab.release(tx, lease.lock_id, fence=lease.fence), by=ann
    )

    assert ended.task is None
    assert status_of(db, ann, task.id) is Status.IN_PROGRESS


@pytest.mark.parametrize("status", [Status.CLAIMED, Status.IN_PROGRESS])
def test_a_sweep_reclaims_silent_leases_and_requeues_their_tasks(
    db: Database, clock: FakeClock, ann: Principal, status: Status
) -> None:
    """M-LEA-04, M-COL-12."""
    task = a_task(db, ann)
    lease = taken(db, ann, task.id)
    taken(db, ann, "deploy/web")
    if status is Status.IN_PROGRESS:
        moved(db, ann, task.id, status)
    clock.advance(MINUTE * 2)

    ended = db.run(collab.sweep, by=system())

    assert [each.lease.resource for each in ended] == [task.id, "deploy/web"]
    assert status_of(db, ann, task.id) is Status.QUEUED
    told = db.look(lambda tx: events.list_last(tx, limit=3), by=ann)
    assert [(event.type, event.target) for event in told] == [
        ("lease_reclaimed", "T-1"),
        ("status_changed", "T-1"),
        ("lease_reclaimed", "deploy/web"),
    ]
    with pytest.raises(LeaseLost):
        db.run(
            lambda tx: leases.heartbeat(tx, lease.lock_id, fence=lease.fence), by=ann
        )


def test_a_sweep_leaves_living_leases_alone(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    taken(db, ann, "deploy/web")
    clock.advance(MINUTE)

    assert db.run(collab.sweep, by=system()) == []


def test_a_task_in_review_is_beyond_the_reach_of_a_sweep(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    task = a_task(db, ann, status=Status.REVIEW)
    clock.advance(timedelta(days=1))

    assert db.run(collab.sweep, by=system()) == []
    assert status_of(db, ann, task.id) is Status.REVIEW


def test_a_living_lease_is_reclaimed_by_force_and_says_why(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """M-LEA-05."""
    task = a_task(db, ann)
    lease = taken(db, ann, task.id)

    with pytest.raises(LeaseHeld):
        db.run(lambda tx: collab.reclaim(tx, lease.lock_id, reason="hurry"), by=bob)

    ended = db.run(
        lambda tx: collab.reclaim(
            tx, lease.lock_id, reason="worker died", is_forced=True
        ),
        by=bob,
    )
    assert ended.task is not None
    assert (ended.task.status, ended.task.reason) == (
        Status.QUEUED,
        "lease reclaimed: worker died",
    )
