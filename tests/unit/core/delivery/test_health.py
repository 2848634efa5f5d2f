"""Channel health: noted as it changes, told when it begins and when it ends."""

from dataclasses import replace
from functools import partial

from core.database import Database
from core.delivery.health import service as health
from core.delivery.health.model import AccountHealth, Link
from core.events import service as events
from core.kernel.principal import Principal, TenantId, system
from tests.conftest import FakeClock

UP = AccountHealth(channel="slack", account="acme", link=Link.CONNECTED)
DOWN = replace(UP, link=Link.DEGRADED, error="bad token", fix="set a new one")


def note(db: Database, by: Principal, *seen: AccountHealth) -> None:
    for each in seen:
        db.run(partial(health.note, seen=each), by=by)


def told(db: Database, by: Principal) -> list[tuple[str, str]]:
    return [(each.type, each.target) for each in db.look(events.list_last, by=by)]


def test_an_outage_is_told_once_when_it_begins_and_ends(
    db: Database, ann: Principal
) -> None:
    note(db, ann, UP, DOWN, replace(DOWN, reconnects=1), UP, UP)

    assert told(db, ann) == [
        ("channel_degraded", "slack:acme"),
        ("channel_recovered", "slack:acme"),
    ]


def test_a_start_is_told_only_when_it_fails(db: Database, ann: Principal) -> None:
    note(db, ann, UP, replace(DOWN, account="globex"))

    assert told(db, ann) == [("channel_degraded", "slack:globex")]


def test_the_last_that_was_seen_is_kept(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    seen = replace(DOWN, last_in=clock.now(), reconnects=3)
    note(db, ann, UP, seen)

    assert db.look(health.list_, by=ann) == [seen]
    assert db.look(health.list_, by=system(TenantId("globex"))) == []


def test_an_account_that_is_gone_is_forgotten(db: Database, ann: Principal) -> None:
    note(db, ann, UP)

    db.run(partial(health.forget, channel="slack", account="acme"), by=ann)

    assert db.look(health.list_, by=ann) == []
