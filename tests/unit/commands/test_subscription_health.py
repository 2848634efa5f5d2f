"""Receivers of subscriptions as the webhook channel shows them."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from commands.subscription_health import receivers_of
from core.database import Database
from core.delivery.health.model import AccountHealth, Link
from core.hooks.subscriptions import service as subscriptions
from core.kernel.principal import Principal
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from tests.conftest import FakeClock
from tests.subscribers import a_user, subscribed, tried


@pytest.fixture
def ann(db: Database) -> Principal:
    return a_user(db, "ann")


@pytest.fixture(autouse=True)
def audit_log(db: Database, ann: Principal, tmp_path: Path) -> None:
    subscribed(db, ann, Vault(FileKeystore(tmp_path / "keystore.json")))


def health(db: Database, by: Principal) -> AccountHealth:
    (only,) = db.look(receivers_of, by=by)
    return only


def test_a_new_receiver_is_taken_to_be_there(db: Database, ann: Principal) -> None:
    assert health(db, ann) == AccountHealth(
        channel="webhook", account="SB-1", link=Link.CONNECTED
    )


def test_one_failure_is_no_outage(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    tried(db, ann, 500, at=clock.now())

    assert health(db, ann).link is Link.CONNECTED


def test_a_receiver_that_goes_on_failing_is_degraded(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    tried(db, ann, 204, at=clock.now())
    for number in (1, 2):
        tried(db, ann, 500, at=clock.now() + timedelta(seconds=number))

    found = health(db, ann)

    assert (found.link, found.last_out) == (Link.DEGRADED, clock.now())
    assert found.error == "2 tries failed since 2026-11-04T09:00:01.000000Z"
    assert found.fix == "subscription deliveries SB-1"


def test_a_success_ends_it(db: Database, ann: Principal, clock: FakeClock) -> None:
    for status in (500, 500, 204):
        tried(db, ann, status, at=clock.now())

    assert health(db, ann).link is Link.CONNECTED
    assert health(db, ann).error == ""


def test_a_disabled_one_is_off_and_says_why(db: Database, ann: Principal) -> None:
    disable = partial(subscriptions.disable, reference="SB-1", reason="moving house")
    db.run(disable, by=ann)

    found = health(db, ann)

    assert (found.link, found.error) == (Link.OFF, "SB-1 is disabled: moving house")
    assert found.fix == "subscription enable SB-1"
