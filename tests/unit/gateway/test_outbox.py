"""The postman: what it does with what a channel answers, or does not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from channels.base import (
    Capabilities,
    Courier,
    Parcel,
    Postponed,
    Skipped,
    Undeliverable,
)
from core.database import Database
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft, OutboxState, Outgoing
from core.kernel.jsons import to_json
from core.kernel.outgoing import Lane
from core.kernel.principal import Principal, TenantId, system
from core.kernel.reply import Reply
from gateway.outbox import Post, Postman, budget_of
from tests.conftest import FakeClock
from tests.couriers import ScriptedCourier

SPEC = Capabilities(edit=True)
SECOND = timedelta(seconds=1)

Open = Callable[..., Postman]


@pytest.fixture
def open_postman(db: Database) -> Open:
    """Make a postman of one channel; without chance, so that a clock can be set by it."""

    async def tenants() -> list[TenantId]:
        return [system().tenant]

    def make(courier: Courier, *, max_rate: int = 0, **traits: Any) -> Postman:
        budget = budget_of(Capabilities(edit=True, max_rate=max_rate))
        given = {"is_on": lambda *_: True, "jitter": lambda: 1.0, **traits}
        return Postman(db, {"slack": Post(courier, budget)}, tenants=tenants, **given)

    return make


@asynccontextmanager
async def running(*postmen: Postman) -> AsyncIterator[None]:
    """Have some postmen work."""
    working = [asyncio.create_task(each.run()) for each in postmen]
    try:
        yield
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - of a database nobody tells us
            await asyncio.sleep(0.01)


def post(
    db: Database, key: str, room: str = "C1", summary: str = "Done", **draft: Any
) -> None:
    body = to_json(Reply(summary=summary)).decode()
    given: dict[str, Any] = {"channel": "slack", "account": "acme", **draft}
    db.run(
        lambda tx: outbox.post(
            tx, OutboxDraft(key=key, place={"channel": room}, body=body, **given)
        ),
        by=system(),
    )


def stored(db: Database, number: int = 1) -> Outgoing:
    return db.look(lambda tx: outbox.get_(tx, f"D-{number}"), by=system())


async def test_a_reply_is_delivered_as_it_was_stored(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier()
    post(db, "rp_1", summary="Created T-1", subject="card")

    await open_postman(courier).deliver_due()

    (parcel,) = courier.delivered
    assert (parcel.id, parcel.account, parcel.place) == (
        "rp_1", "acme", {"channel": "C1"},
    )  # fmt: skip
    assert parcel.reply.summary == "Created T-1"
    assert stored(db).state is OutboxState.SENT
    assert stored(db).ref == "ref-rp_1"


async def test_a_final_arrives_after_a_storm_of_429(
    db: Database, open_postman: Open, clock: FakeClock
) -> None:
    """R-09: progress is delayed, the final is not lost, Retry-After is kept."""
    courier = ScriptedCourier(
        *(Postponed("429", retry_after=30, is_account_wide=True) for _ in range(10))
    )
    postman = open_postman(courier)
    for number in range(20):
        post(db, f"p{number}", lane=Lane.PROGRESS, subject="run")
    post(db, "final", subject="run")

    tries = []
    for second in range(400):
        if await postman.deliver_due():
            tries.append(second)
        clock.advance(SECOND)

    assert courier.keys == ["final"]
    assert len(tries) == 11
    assert min(b - a for a, b in pairwise(tries)) >= 30


async def test_a_hundred_updates_become_few_messages(
    db: Database, open_postman: Open, clock: FakeClock
) -> None:
    """R-09: told at the pace of the room, the newest state last, in one message."""
    courier = ScriptedCourier()
    postman = open_postman(courier, max_rate=60)
    for number in range(100):
        post(db, f"p{number}", lane=Lane.PROGRESS, subject="run", summary=f"{number}")
        await postman.deliver_due()
        clock.advance(SECOND / 20)
    clock.advance(2 * SECOND)
    await postman.deliver_due()

    assert len(courier.delivered) <= 4
    assert courier.delivered[-1].reply.summary == "99"
    assert {each.edits for each in courier.delivered[1:]} == {"ref-p0"}


async def test_pauses_grow_with_the_tries_up_to_five_minutes(
    db: Database, open_postman: Open, clock: FakeClock
) -> None:
    courier = ScriptedCourier(*(Postponed("down") for _ in range(12)))
    postman = open_postman(courier)
    post(db, "k1")

    waits = []
    for _ in range(12):
        await postman.deliver_due()
        waits.append((stored(db).due_at - clock.now()).total_seconds())
        clock.moment = stored(db).due_at

    assert waits[:3] == [2, 4, 8]
    assert max(waits) == waits[-1] == 300


async def test_a_pause_is_shortened_by_chance(
    db: Database, open_postman: Open, clock: FakeClock
) -> None:
    """Full jitter: those who failed together do not come back together."""
    courier = ScriptedCourier(Postponed("down"))
    post(db, "k1")

    await open_postman(courier, jitter=lambda: 0.25).deliver_due()

    assert stored(db).due_at - clock.now() == SECOND / 2


async def test_what_can_never_work_is_dead_with_its_fix(
    db: Database, open_postman: Open
) -> None:
    """R-15: a permanent failure is not tried again, and is shown."""
    courier = ScriptedCourier(Undeliverable("no such room", fix="invite the app"))
    postman = open_postman(courier)
    post(db, "k1")
    post(db, "k2")

    while await postman.deliver_due():
        pass

    dead = stored(db)
    assert (dead.state, dead.attempts) == (OutboxState.DEAD, 1)
    assert (dead.error, dead.fix) == ("no such room", "invite the app")
    assert courier.keys == ["k2"]


async def test_a_fault_of_a_courier_is_contained(
    db: Database, open_postman: Open, caplog: pytest.LogCaptureFixture
) -> None:
    """One delivery that crashes is tried later; its neighbours do not notice."""
    courier = ScriptedCourier(RuntimeError("a bug"))
    post(db, "k1", room="C1")
    post(db, "k2", room="C2")

    await open_postman(courier).deliver_due()

    assert courier.keys == ["k2"]
    assert stored(db).state is OutboxState.WAITING
    assert stored(db).error == "a fault of ours: RuntimeError"
    assert "outbox.courier_failed" in caplog.text


async def test_a_courier_that_hangs_is_given_up_at_its_deadline(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier(is_held=True)
    post(db, "k1")

    await open_postman(courier, deadline=SECOND / 50).deliver_due()

    assert courier.tried == ["k1"]
    assert stored(db).error.startswith("no answer within")


async def test_an_account_is_given_eight_at_once_and_a_room_one(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier(is_held=True)
    postman = open_postman(courier)
    for number in range(24):
        post(db, f"k{number}", room=f"C{number % 12}")

    async with running(postman):
        await until(lambda: len(courier.tried) == 8)
        courier.let_go()
        postman.bell.ring()
        await until(lambda: len(courier.delivered) == 24)

    assert courier.most == 8
    for room in range(12):
        mine = [key for key in courier.keys if int(key[1:]) % 12 == room]
        assert mine == [f"k{room}", f"k{room + 12}"]


async def test_what_was_posted_leaves_at_once_when_the_bell_rings(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier()
    postman = open_postman(courier)

    # Found by looking once a second, these would take fifteen.
    async with running(postman), asyncio.timeout(10):
        for number in range(15):
            post(db, f"k{number}")
            postman.bell.ring()
            await until(lambda: len(courier.delivered) > number)  # noqa: B023 - awaited here

    assert courier.keys == [f"k{number}" for number in range(15)]


async def test_a_channel_switched_off_still_keeps_its_promises(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier()
    post(db, "answer")
    post(db, "progress", room="C2", lane=Lane.PROGRESS)

    await open_postman(courier, is_on=lambda *_: False).deliver_due()

    assert courier.keys == ["answer"]


async def test_closing_lets_what_is_under_way_end(
    db: Database, open_postman: Open
) -> None:
    """R-29: a restart sends nothing twice that it can help."""
    courier = ScriptedCourier(is_held=True)
    postman = open_postman(courier)
    post(db, "k1")
    post(db, "k2")

    async with running(postman):
        await until(lambda: courier.tried == ["k1"])
        closing = asyncio.create_task(postman.close())
        await asyncio.sleep(0)
        courier.let_go()
        await closing

    assert courier.keys == ["k1"]
    assert stored(db, 1).state is OutboxState.SENT
    assert stored(db, 2).state is OutboxState.WAITING


async def test_a_database_that_fails_for_a_while_cancels_nothing(
    db: Database, open_postman: Open, ann: Principal
) -> None:
    """What is on its way ends, and is noted once the database is back."""
    courier = ScriptedCourier(is_held=True)
    postman = open_postman(courier)
    post(db, "k1")

    async with running(postman):
        await until(lambda: courier.tried == ["k1"])
        await _outage(db, courier, postman, ann)
        await until(lambda: stored(db).state is OutboxState.SENT)

    assert courier.keys == ["k1"]


async def _outage(
    db: Database, courier: ScriptedCourier, postman: Postman, by: Principal
) -> None:
    """Lock the database from outside while the delivery ends."""
    with db.engine.connect() as other:
        other.exec_driver_sql("BEGIN EXCLUSIVE")
        courier.let_go()
        postman.bell.ring()
        await until(lambda: bool(courier.delivered))
        other.exec_driver_sql("ROLLBACK")


class _Picky:
    """A courier that refuses what it cannot read."""

    async def deliver(self, parcel: Parcel) -> str:
        raise Undeliverable(parcel.place["nowhere"])  # type: ignore[arg-type]


async def test_a_place_that_a_courier_cannot_read_harms_nobody(
    db: Database, open_postman: Open
) -> None:
    post(db, "k1")

    await open_postman(_Picky()).deliver_due()

    assert stored(db).error == "a fault of ours: KeyError"


async def test_what_the_channel_leaves_out_is_noted_with_the_reason(
    db: Database, open_postman: Open
) -> None:
    post(db, "news", lane=Lane.PROGRESS, subject="watch")

    await open_postman(ScriptedCourier(Skipped("told once"))).deliver_due()

    assert stored(db).state is OutboxState.SKIPPED
    assert (stored(db).error, stored(db).sent_at) == ("told once", None)


async def test_what_steers_passes_what_a_cap_holds_back(
    db: Database, open_postman: Open
) -> None:
    courier = ScriptedCourier(Postponed("cap", retry_after=3600, is_lane_only=True))
    postman = open_postman(courier)
    post(db, "answer")
    await postman.deliver_due()
    post(db, "stop", lane=Lane.CONTROL)

    await postman.deliver_due()

    assert courier.keys == ["stop"]
