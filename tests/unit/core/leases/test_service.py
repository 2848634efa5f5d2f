"""Leases: one holder, growing fences, and an end that does not depend on a sweep."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from core.database import Database
from core.events import service as events
from core.kernel.principal import Principal, TenantId, system
from core.kernel.problems import (
    Forbidden,
    InvalidArgument,
    LeaseHeld,
    LeaseLost,
    NotFound,
)
from core.leases import service as leases
from core.leases.model import Lease, view
from tests.conftest import FakeClock

MINUTE = timedelta(seconds=60)


def taken(
    db: Database, by: Principal, resource: str = "deploy", ttl: timedelta = MINUTE
) -> Lease:
    return db.run(lambda tx: leases.acquire(tx, resource, ttl=ttl), by=by)


def test_a_lease_is_shown_with_the_promised_fields(
    db: Database, ann: Principal
) -> None:
    """M-LEA-03."""
    lease = taken(db, ann)

    assert view(lease) == {
        "lock_id": "L-1",
        "resource": "deploy",
        "holder": "ann",
        "acquired_at": "2026-11-04T09:00:00.000000Z",
        "ttl_seconds": 60,
        "heartbeat_at": "2026-11-04T09:00:00.000000Z",
        "fence": 1,
    }


def test_a_lease_lives_900_seconds_unless_told_otherwise(
    db: Database, ann: Principal
) -> None:
    lease = db.run(lambda tx: leases.acquire(tx, "deploy"), by=ann)

    assert lease.ttl == timedelta(seconds=900)


def test_a_second_holder_is_refused_and_told_how_long_to_wait(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    """M-LEA-01."""
    taken(db, ann)
    clock.advance(timedelta(seconds=20))

    with pytest.raises(LeaseHeld) as refusal:
        taken(db, bob)

    assert refusal.value.extra["holder"] == "ann"
    assert refusal.value.retry_after == 40


def test_the_same_holder_gets_the_same_lease_renewed(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    first = taken(db, ann)
    clock.advance(timedelta(seconds=20))

    again = taken(db, ann)

    assert (again.lock_id, again.fence) == (first.lock_id, first.fence)
    assert again.heartbeat_at == clock.now()


def test_naming_somebody_as_holder_does_not_give_that_ones_lease(
    db: Database, ann: Principal, bob: Principal
) -> None:
    """R-60: a name that a client gives is never believed."""
    taken(db, ann)

    with pytest.raises(LeaseHeld):
        db.run(lambda tx: leases.acquire(tx, "deploy", holder="ann"), by=bob)


def test_whoever_took_a_lease_for_a_worker_may_renew_it(
    db: Database, ann: Principal
) -> None:
    lease = db.run(lambda tx: leases.acquire(tx, "deploy", holder="worker-1"), by=ann)

    again = db.run(
        lambda tx: leases.heartbeat(tx, lease.lock_id, fence=lease.fence), by=ann
    )

    assert again.holder == "worker-1"


def test_one_person_may_not_hold_it_for_two_workers(
    db: Database, ann: Principal
) -> None:
    db.run(lambda tx: leases.acquire(tx, "deploy", holder="worker-1"), by=ann)

    with pytest.raises(LeaseHeld):
        db.run(lambda tx: leases.acquire(tx, "deploy", holder="worker-2"), by=ann)


def test_of_twenty_at_once_one_gets_the_lease(db: Database) -> None:
    """R-22."""

    def attempt(number: int) -> int:
        try:
            return taken(db, system(name=f"worker-{number}")).fence
        except LeaseHeld:
            return 0

    with ThreadPoolExecutor(20) as pool:
        fences = list(pool.map(attempt, range(20)))

    assert sorted(fences) == [0] * 19 + [1]


@pytest.mark.parametrize("ttl", [timedelta(0), timedelta(hours=24, seconds=1)])
def test_a_time_to_live_outside_a_second_to_a_day_is_refused(
    db: Database, ann: Principal, ttl: timedelta
) -> None:
    with pytest.raises(InvalidArgument):
        taken(db, ann, ttl=ttl)


def test_a_heartbeat_extends_the_lease(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    """M-LEA-04."""
    lease = taken(db, ann)
    clock.advance(timedelta(seconds=50))
    db.run(lambda tx: leases.heartbeat(tx, lease.lock_id, fence=lease.fence), by=ann)
    clock.advance(timedelta(seconds=50))

    with pytest.raises(LeaseHeld):
        taken(db, bob)


def test_only_the_holder_releases(db: Database, ann: Principal, bob: Principal) -> None:
    """M-LEA-02."""
    lease = taken(db, ann)

    with pytest.raises(Forbidden):
        db.run(lambda tx: leases.release(tx, lease.lock_id, fence=lease.fence), by=bob)

    db.run(lambda tx: leases.release(tx, lease.lock_id, fence=lease.fence), by=ann)
    assert taken(db, bob).holder == "bob"


@pytest.mark.parametrize("verb", [leases.heartbeat, leases.release])
def test_a_wrong_fence_has_lost_the_lease(
    db: Database, ann: Principal, verb: object
) -> None:
    """R-22."""
    lease = taken(db, ann)

    with pytest.raises(LeaseLost):
        db.run(lambda tx: verb(tx, lease.lock_id, fence=lease.fence + 1), by=ann)  # type: ignore[operator]


@pytest.mark.parametrize("verb", [leases.heartbeat, leases.release])
def test_an_expired_lease_is_lost_before_any_sweep(
    db: Database, clock: FakeClock, ann: Principal, verb: object
) -> None:
    """R-22: what a late holder sees does not depend on when the sweeper ran."""
    lease = taken(db, ann)
    clock.advance(MINUTE + timedelta(microseconds=1))

    with pytest.raises(LeaseLost):
        db.run(lambda tx: verb(tx, lease.lock_id, fence=lease.fence), by=ann)  # type: ignore[operator]


def test_a_lease_still_holds_in_the_moment_it_ends(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    taken(db, ann)
    clock.advance(MINUTE)

    with pytest.raises(LeaseHeld):
        taken(db, bob)


def test_the_next_holder_of_an_expired_lease_gets_a_higher_fence(
    db: Database, clock: FakeClock, ann: Principal, bob: Principal
) -> None:
    """R-22, M-LEA-04."""
    old = taken(db, ann)
    clock.advance(MINUTE * 2)

    new = taken(db, bob)

    assert new.fence > old.fence
    assert [
        event.type for event in db.look(lambda tx: events.list_after(tx, 0), by=bob)
    ] == [
        "lease_acquired",
        "lease_reclaimed",
        "lease_acquired",
    ]


def test_a_lease_that_ended_is_lost_and_one_that_never_was_is_not_found(
    db: Database, ann: Principal
) -> None:
    lease = taken(db, ann)
    db.run(lambda tx: leases.release(tx, lease.lock_id, fence=lease.fence), by=ann)

    with pytest.raises(LeaseLost):
        db.run(lambda tx: leases.heartbeat(tx, "L-1", fence=1), by=ann)
    with pytest.raises(NotFound):
        db.run(lambda tx: leases.heartbeat(tx, "L-2", fence=1), by=ann)
    with pytest.raises(NotFound):
        db.run(lambda tx: leases.heartbeat(tx, "nonsense", fence=1), by=ann)


def test_a_living_lease_is_reclaimed_only_by_force(
    db: Database, ann: Principal, bob: Principal
) -> None:
    taken(db, ann)

    with pytest.raises(LeaseHeld):
        db.run(lambda tx: leases.reclaim(tx, "L-1", reason="impatient"), by=bob)

    lease = db.run(
        lambda tx: leases.reclaim(tx, "L-1", reason="worker died", is_forced=True),
        by=bob,
    )
    assert lease.holder == "ann"


def test_stale_leases_are_listed_apart(
    db: Database, clock: FakeClock, ann: Principal
) -> None:
    taken(db, ann, "short", timedelta(seconds=10))
    taken(db, ann, "long")
    clock.advance(timedelta(seconds=30))

    stale = db.look(lambda tx: leases.list_(tx, is_stale=True), by=ann)
    alive = db.look(lambda tx: leases.list_(tx, is_stale=False), by=ann)

    assert [lease.resource for lease in stale.items] == ["short"]
    assert [lease.resource for lease in alive.items] == ["long"]


def test_pages_of_leases_join_without_gap_or_double(
    db: Database, ann: Principal
) -> None:
    for number in range(5):
        taken(db, ann, f"resource-{number}")

    first = db.look(lambda tx: leases.list_(tx, limit=3), by=ann)
    rest = db.look(
        lambda tx: leases.list_(tx, limit=3, cursor=first.next or ""), by=ann
    )

    assert [lease.lock_id for lease in (*first.items, *rest.items)] == [
        "L-1",
        "L-2",
        "L-3",
        "L-4",
        "L-5",
    ]
    assert rest.next is None


def test_tenants_hold_leases_on_the_same_name_side_by_side(
    db: Database, ann: Principal
) -> None:
    eve = system(TenantId("other"), name="eve")
    taken(db, ann)

    assert taken(db, eve).holder == "eve"
    with pytest.raises(NotFound):
        db.run(lambda tx: leases.get_(tx, "L-2"), by=eve)
    assert len(db.look(leases.list_, by=eve).items) == 1
