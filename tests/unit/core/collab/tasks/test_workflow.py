"""Tasks are claimed, moved, blocked and given back, with their leases."""

from datetime import timedelta

import pytest

from core.collab import tasks
from core.collab.tasks import Claim, Status
from core.database import Database
from core.events import service as events
from core.kernel.principal import Principal
from core.kernel.problems import IllegalMove, LeaseHeld, StaleVersion
from core.leases import service as leases
from core.leases.model import Lease
from tests.builders import REVIEWER, ROAD, a_task, moved
from tests.conftest import FakeClock

MINUTE = timedelta(seconds=60)


def claimed(db: Database, by: Principal, task_id: str, holder: str = "") -> Claim:
    return db.run(lambda tx: tasks.claim(tx, task_id, ttl=MINUTE, holder=holder), by=by)


def lease_on(db: Database, by: Principal, task_id: str) -> Lease | None:
    return db.look(lambda tx: leases.find_on(tx, task_id), by=by)


def told(db: Database, by: Principal) -> list[str]:
    return [event.type for event in db.look(lambda tx: events.list_after(tx, 0), by=by)]


def test_a_task_travels_from_queued_to_done(db: Database, ann: Principal) -> None:
    """M-COL-06."""
    task = a_task(db, ann)
    seen = [task.status]
    for step in ROAD[1:]:
        by = REVIEWER if step is Status.APPROVED else ann
        seen.append(moved(db, by, task.id, step).status)

    assert tuple(seen) == ROAD


def test_a_move_tells_both_statuses(db: Database, ann: Principal) -> None:
    """M-COL-05."""
    task = a_task(db, ann, status=Status.CLAIMED)

    move = db.run(
        lambda tx: tasks.transition(tx, task.id, Status.IN_PROGRESS, reason="on it"),
        by=ann,
    )

    assert (move.old_status, move.task.status) == (Status.CLAIMED, Status.IN_PROGRESS)
    event = db.look(lambda tx: events.list_last(tx, limit=1), by=ann)[0]
    assert event.type == "status_changed"
    assert event.details == {
        "old_status": "claimed",
        "status": "in_progress",
        "implementer": "ann",
        "reason": "on it",
    }


def test_an_illegal_move_changes_nothing(db: Database, ann: Principal) -> None:
    """M-COL-05."""
    task = a_task(db, ann)

    with pytest.raises(IllegalMove):
        moved(db, ann, task.id, Status.DONE)

    assert db.look(lambda tx: tasks.get_(tx, task.id), by=ann) == task
    assert told(db, ann) == ["task_created"]


def test_a_stale_tag_stops_a_move(db: Database, ann: Principal) -> None:
    task = a_task(db, ann, status=Status.CLAIMED)
    moved(db, ann, task.id, Status.IN_PROGRESS)

    with pytest.raises(StaleVersion):
        db.run(
            lambda tx: tasks.transition(tx, task.id, Status.FAILED, if_match=task.etag),
            by=ann,
        )


def test_approval_waits_for_the_checklist_the_needs_and_another_person(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """M-COL-09: refused while the DoD is open, and by the implementer as reviewer."""
    need = a_task(db, ann, status=Status.MERGING)
    task = a_task(db, ann, status=Status.REVIEW, dod=["tests"], needs=[need.id])

    def approve(by: Principal) -> Status:
        return db.run(lambda tx: tasks.approve(tx, task.id), by=by).task.status

    with pytest.raises(IllegalMove, match="definition of done"):
        approve(bob)
    db.run(lambda tx: tasks.tick_dod(tx, task.id, 1), by=ann)
    with pytest.raises(IllegalMove, match=f"waits for {need.id}"):
        approve(bob)
    moved(db, ann, need.id, Status.DONE)
    with pytest.raises(IllegalMove, match="implemented"):
        approve(ann)

    assert approve(bob) is Status.APPROVED


def test_done_is_refused_when_work_was_added_after_the_approval(
    db: Database, ann: Principal
) -> None:
    task = a_task(db, ann, status=Status.MERGING)
    db.run(lambda tx: tasks.change(tx, task.id, dod=["docs"]), by=ann)

    with pytest.raises(IllegalMove):
        moved(db, ann, task.id, Status.DONE)


def test_changes_are_requested_and_made(
    db: Database, ann: Principal, bob: Principal
) -> None:
    task = a_task(db, ann, status=Status.REVIEW)

    rejected = db.run(lambda tx: tasks.reject(tx, task.id, reason="typo"), by=bob).task
    again = moved(db, ann, task.id, Status.IN_PROGRESS)

    assert (rejected.status, rejected.reason) == (Status.CHANGES_REQUESTED, "typo")
    assert (again.status, again.reason) == (Status.IN_PROGRESS, "")


def test_a_claim_assigns_the_task_and_takes_a_lease(
    db: Database, ann: Principal
) -> None:
    """M-EVT-07."""
    task = a_task(db, ann)

    claim = claimed(db, ann, task.id)

    assert (claim.task.status, claim.task.assignee) == (Status.CLAIMED, "ann")
    assert claim.lease == lease_on(db, ann, task.id)
    assert told(db, ann) == [
        "task_created",
        "lease_acquired",
        "task_claimed",
        "status_changed",
    ]


def test_a_move_to_claimed_is_a_claim(db: Database, ann: Principal) -> None:
    task = a_task(db, ann)

    moved(db, ann, task.id, Status.CLAIMED)

    assert lease_on(db, ann, task.id) is not None


def test_claiming_again_renews_the_same_lease(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    task = a_task(db, ann)
    first = claimed(db, ann, task.id)
    moved(db, ann, task.id, Status.IN_PROGRESS)
    clock.advance(timedelta(seconds=30))

    again = claimed(db, ann, task.id)

    assert (again.lease.lock_id, again.lease.fence) == (
        first.lease.lock_id,
        first.lease.fence,
    )
    assert again.lease.heartbeat_at == clock.now()
    assert again.task.status is Status.IN_PROGRESS


def test_a_claimed_task_is_refused_to_others(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """M-LEA-01."""
    task = a_task(db, ann)
    claimed(db, ann, task.id)

    with pytest.raises(LeaseHeld) as refusal:
        claimed(db, bob, task.id)

    assert refusal.value.retry_after == 60


def test_a_task_may_be_claimed_for_a_worker(db: Database, ann: Principal) -> None:
    task = a_task(db, ann)

    claim = claimed(db, ann, task.id, holder="worker-1")

    assert claim.task.assignee == claim.lease.holder == "worker-1"


def test_claiming_a_task_whose_lease_expired_requeues_it_first(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    """M-LEA-04, R-22."""
    task = a_task(db, ann)
    old = claimed(db, ann, task.id)
    moved(db, ann, task.id, Status.IN_PROGRESS)
    clock.advance(MINUTE * 2)

    new = claimed(db, bob, task.id)

    assert (new.task.status, new.task.assignee) == (Status.CLAIMED, "bob")
    assert new.lease.fence > old.lease.fence
    assert told(db, ann)[-5:] == [
        "lease_reclaimed",
        "status_changed",
        "lease_acquired",
        "task_claimed",
        "status_changed",
    ]


@pytest.mark.parametrize(
    "status", [Status.REVIEW, Status.APPROVED, Status.MERGING, Status.DONE]
)
def test_a_task_beyond_work_cannot_be_claimed(
    db: Database, ann: Principal, bob: Principal, status: Status
) -> None:
    task = a_task(db, ann, status=status)

    for by in (ann, bob):
        with pytest.raises(IllegalMove):
            claimed(db, by, task.id)


@pytest.mark.parametrize(
    "to",
    [Status.REVIEW, Status.BLOCKED, Status.FAILED, Status.ABANDONED, Status.QUEUED],
)
def test_leaving_work_ends_the_lease(db: Database, ann: Principal, to: Status) -> None:
    task = a_task(db, ann, status=Status.IN_PROGRESS)

    moved(db, ann, task.id, to, reason="enough")

    assert lease_on(db, ann, task.id) is None
    assert "lease_released" in told(db, ann)


def test_a_task_is_released_by_its_holder_alone(
    db: Database, ann: Principal, bob: Principal
) -> None:
    task = a_task(db, ann, status=Status.CLAIMED)

    with pytest.raises(LeaseHeld):
        db.run(lambda tx: tasks.release(tx, task.id), by=bob)

    released = db.run(lambda tx: tasks.release(tx, task.id), by=ann).task
    assert (released.status, released.assignee) == (Status.QUEUED, "")


def test_a_blocked_task_returns_to_its_work_and_may_be_leased_again(
    db: Database, ann: Principal
) -> None:
    task = a_task(db, ann, status=Status.IN_PROGRESS)
    db.run(lambda tx: tasks.block(tx, task.id, reason="no access"), by=ann)

    back = db.run(lambda tx: tasks.unblock(tx, task.id), by=ann).task

    assert (back.status, back.assignee) == (Status.IN_PROGRESS, "ann")
    assert claimed(db, ann, task.id).task.status is Status.IN_PROGRESS


def test_a_block_by_needs_adds_them(db: Database, ann: Principal) -> None:
    need = a_task(db, ann)
    task = a_task(db, ann)

    blocked = db.run(lambda tx: tasks.block(tx, task.id, needs=[need.id]), by=ann).task

    assert (blocked.status, blocked.needs) == (Status.BLOCKED, (need.id,))


def test_a_block_for_nothing_is_refused(db: Database, ann: Principal) -> None:
    task = a_task(db, ann)

    with pytest.raises(IllegalMove):
        db.run(lambda tx: tasks.block(tx, task.id), by=ann)


def test_only_a_blocked_task_is_unblocked(db: Database, ann: Principal) -> None:
    task = a_task(db, ann)

    with pytest.raises(IllegalMove):
        db.run(lambda tx: tasks.unblock(tx, task.id), by=ann)
