"""Health notes: what each gateway writes down of its accounts, and only what changed."""

from datetime import timedelta
from functools import partial

from channels.base import Health
from core.database import Database
from core.delivery.health import service as health
from core.delivery.health.model import AccountHealth
from core.events import service as events
from core.kernel.principal import TenantId, system
from gateway.channel_health import HealthNotes
from tests.conftest import FakeClock

ACME = TenantId("acme")


def tenant_of(_: str, account: str) -> TenantId:
    return ACME if account == "acme" else system().tenant


def kept(db: Database, tenant: TenantId | None = None) -> list[AccountHealth]:
    by = system(tenant) if tenant else system()
    return list(db.look(health.list_, by=by))


def types(db: Database) -> list[str]:
    told = db.look(partial(events.list_last, limit=100), by=system())
    return [each.type for each in told]


async def test_an_account_is_noted_with_its_tenant(db: Database) -> None:
    """R-59."""
    mine, theirs = Health(account="ops"), Health(account="acme")
    for each in (mine, theirs):
        each.is_up()
    notes = HealthNotes(
        db, {"slack": lambda: [theirs], "email": lambda: [mine]}, tenant_of=tenant_of
    )

    await notes.note()

    assert [each.account for each in kept(db)] == ["ops"]
    assert [each.account for each in kept(db, ACME)] == ["acme"]


async def test_an_outage_is_told_once_however_often_it_is_seen(
    db: Database, clock: FakeClock
) -> None:
    """M-OMN: degraded and recovered, once each."""
    mailbox = Health(account="ops")
    mailbox.is_up()
    notes = HealthNotes(db, {"email": lambda: [mailbox]}, tenant_of=tenant_of)
    await notes.note()

    mailbox.is_down("wrong password", fix="set OPSWIRE_EMAIL__IMAP_URL")
    for _ in range(3):
        await notes.note()
        mailbox.reconnects += 1
        clock.advance(timedelta(seconds=5))
    (during,) = [each for each in kept(db) if each.channel == "email"]
    mailbox.is_up()
    await notes.note()

    assert (during.link.value, during.error) == ("degraded", "wrong password")
    assert types(db) == ["channel_degraded", "channel_recovered"]


async def test_a_channel_without_an_account_says_what_to_set(db: Database) -> None:
    notes = HealthNotes(db, {}, tenant_of=tenant_of)

    await notes.note()

    found = {each.channel: each for each in kept(db)}
    assert set(found) == {"slack", "email"}
    assert "OPSWIRE_SLACK__BOT_TOKEN" in found["slack"].fix
    assert {each.link.value for each in found.values()} == {"off"}


async def test_an_account_that_goes_is_forgotten_and_one_that_comes_is_noted(
    db: Database,
) -> None:
    accounts: list[Health] = []
    notes = HealthNotes(db, {"email": lambda: accounts}, tenant_of=tenant_of)
    await notes.note()
    before = [each.account for each in kept(db) if each.channel == "email"]

    accounts.append(Health(account="ops"))
    await notes.note()
    set_up = [each.account for each in kept(db) if each.channel == "email"]
    accounts.clear()
    await notes.note()

    assert (before, set_up) == ([""], ["ops"])
    assert [each.account for each in kept(db) if each.channel == "email"] == [""]


async def test_what_has_not_changed_is_not_written(db: Database) -> None:
    changed: list[object] = []
    mailbox = Health(account="ops")
    notes = HealthNotes(db, {"email": lambda: [mailbox]}, tenant_of=tenant_of)
    await notes.note()
    db.on_commit(changed.append)

    for _ in range(5):
        await notes.note()

    assert changed == []


async def test_a_channel_that_loads_is_starting_and_not_unset(db: Database) -> None:
    accounts = [Health.starting()]
    notes = HealthNotes(db, {"email": lambda: accounts}, tenant_of=tenant_of)
    await notes.note()
    (before,) = [each for each in kept(db) if each.channel == "email"]

    accounts[:] = [Health(account="ops")]
    accounts[0].is_up()
    await notes.note()
    (after,) = [each for each in kept(db) if each.channel == "email"]

    assert (before.account, before.link.value, before.error) == ("", "off", "starting")
    assert (after.account, after.link.value) == ("ops", "connected")
    assert types(db) == []
