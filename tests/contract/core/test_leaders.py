"""One leader at a time, on both databases, and another one soon after it has died."""

from datetime import timedelta

from core.database import Database
from core.kernel.principal import system
from core.leases import leaders
from gateway.leaders import TTL, Leaders
from tests.conftest import FakeClock


async def test_one_of_two_processes_leads(db: Database) -> None:
    """R-30: whoever asks first leads, for all who ask by then."""
    first, second = Leaders(db), Leaders(db)

    found = [await each.leads("sweeper") for each in (first, second, first)]

    assert found == [True, False, True]
    assert await second.leads("scheduler")
    assert dict(first.view()) == {"sweeper": True}


async def test_a_leader_that_died_is_replaced(db: Database, clock: FakeClock) -> None:
    assert await Leaders(db).leads("sweeper")
    clock.advance(TTL)

    assert await Leaders(db).leads("sweeper")


async def test_a_leader_that_resigns_is_replaced_at_once(db: Database) -> None:
    first, second = Leaders(db), Leaders(db)
    assert await first.leads("sweeper")

    await first.resign()

    assert await second.leads("sweeper")


def test_a_leader_renews_its_time(db: Database, clock: FakeClock) -> None:
    ttl = timedelta(seconds=10)
    db.run(lambda tx: leaders.lead(tx, "x", holder="a", ttl=ttl), by=system())
    clock.advance(ttl / 2)

    renewed = db.run(lambda tx: leaders.lead(tx, "x", holder="a", ttl=ttl), by=system())
    other = db.run(lambda tx: leaders.lead(tx, "x", holder="b", ttl=ttl), by=system())

    assert renewed.until == clock.now() + ttl
    assert other == renewed


def test_only_its_holder_resigns(db: Database) -> None:
    ttl = timedelta(seconds=10)
    db.run(lambda tx: leaders.lead(tx, "x", holder="a", ttl=ttl), by=system())

    db.run(lambda tx: leaders.resign(tx, "x", holder="b"), by=system())

    known = db.look(lambda tx: leaders.find(tx, "x"), by=system())
    assert known is not None
    assert known.holder == "a"
