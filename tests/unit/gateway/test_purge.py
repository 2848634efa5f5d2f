"""The purge: batch after batch until nothing is too old, in every tenant."""

from datetime import timedelta
from functools import partial

import pytest

from core.database import Database, Tx
from core.delivery import retention
from core.delivery.outbox import dispatch
from core.delivery.outbox import service as outbox
from core.delivery.outbox.dispatch import Terms
from core.delivery.outbox.model import Budget, OutboxDraft
from core.hooks.subscriptions import service as subscriptions
from core.hooks.triggers import fire_store, fires
from core.hooks.triggers.model import Fire
from core.kernel.ids import TriggerId
from core.kernel.principal import TenantId, system
from gateway.purge import Purge
from gateway.settings import KeepSettings
from tests.conftest import FakeClock
from tests.subscribers import tried

TENANTS = [system().tenant, TenantId("acme")]


def send(tx: Tx, count: int) -> None:
    """Have many deliveries leave."""
    terms = Terms(
        budgets={"slack": Budget(most=10**6)}, claim=timedelta(days=1), most=10**6
    )
    for number in range(count):
        draft = OutboxDraft(
            key=f"k{number}",
            channel="slack",
            account="",
            place={"channel": f"C{number}"},
            body="{}",
        )
        outbox.post(tx, draft)
    for each in dispatch.claim(tx, terms):
        dispatch.note_sent(tx, each, ref="")


@pytest.fixture
def purge(db: Database) -> Purge:
    async def tenants() -> list[TenantId]:
        return TENANTS

    return Purge(db, KeepSettings(sent_days=2), tenants=tenants)


def sent(db: Database) -> list[int]:
    """How many deliveries each tenant still knows, at most a page of each."""
    return [len(db.look(outbox.list_, by=system(each)).items) for each in TENANTS]


async def test_everything_too_old_is_forgotten_in_batches(
    db: Database, purge: Purge, clock: FakeClock
) -> None:
    many = 2 * retention.BATCH + 1
    for tenant in TENANTS:
        db.run(partial(send, count=many), by=system(tenant))

    await purge.run()
    early = sent(db)
    clock.advance(timedelta(days=2, seconds=1))
    await purge.run()

    assert early == [100, 100]
    assert sent(db) == [0, 0]


async def test_what_triggers_set_off_is_forgotten_with_its_answers(
    db: Database, clock: FakeClock
) -> None:
    async def tenants() -> list[TenantId]:
        return TENANTS

    def fired(tx: Tx) -> int:
        return len(fires.list_(tx, "G-1").items)

    db.run(partial(fire, number=1), by=system())
    clock.advance(timedelta(days=2))
    db.run(partial(fire, number=2), by=system())
    clock.advance(timedelta(days=1, seconds=1))

    await Purge(db, KeepSettings(inbox_days=3), tenants=tenants).run()

    assert db.look(fired, by=system()) == 1


def fire(tx: Tx, number: int) -> None:
    """Have a trigger fire that nobody asks about any more."""
    fire_store.add(
        tx,
        Fire(
            request_id=tx.new_token("rq"),
            trigger_id=TriggerId("G-1"),
            key=str(number),
            seq=number,
            at=tx.now,
        ),
    )


async def test_how_old_deliveries_went_is_forgotten_with_them(
    db: Database, clock: FakeClock
) -> None:
    async def tenants() -> list[TenantId]:
        return TENANTS

    def tries(tx: Tx) -> list[int]:
        return [each.status for each in subscriptions.list_attempts(tx, "SB-1:ev:7")]

    by = system()
    for status in (500, 503, 200):
        tried(db, by, status, at=clock.now())
        clock.advance(timedelta(days=2))

    await Purge(db, KeepSettings(dead_days=3), tenants=tenants).run()

    assert db.look(tries, by=by) == [200]


async def test_a_purge_that_finds_nothing_writes_nothing(
    db: Database, purge: Purge
) -> None:
    db.run(partial(send, count=3), by=system())
    commits: list[object] = []
    db.on_commit(commits.append)

    await purge.run()

    assert commits == []
