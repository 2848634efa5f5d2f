"""R-17: what subscriptions are told, over real sockets, with a clock that is set by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from core.database import Database
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of, OutboxState
from core.events import service as events
from core.events.model import EventFilter
from core.hooks.model import key_of
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import State
from core.kernel.principal import Principal
from core.secrets.vault import Vault
from gateway.adapters.exchange import Bounds
from gateway.adapters.keystore import FileKeystore
from gateway.outbox import Postman
from tests.conftest import FakeClock
from tests.receivers import (
    Act,
    Hit,
    Receiver,
    drips,
    floods,
    hangs,
    receiving,
    resets,
    says,
)
from tests.subscribers import a_user, found, subscribed
from tests.tellers import (
    Terms,
    attempts,
    count_of,
    post_events,
    stored,
    telling,
)

Tell = Callable[..., AbstractAsyncContextManager[Postman]]

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUICK = Terms(bounds=Bounds(total_seconds=0.3))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FileKeystore(tmp_path / "keystore.json"))


@pytest.fixture
def ann(db: Database) -> Principal:
    return a_user(db, "ann")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def secret(db: Database, ann: Principal, vault: Vault, receiver: Receiver) -> str:
    """The secret of a subscription to the receiver."""
    return subscribed(db, ann, vault, url=receiver.url).secret


@pytest.fixture
def tell(db: Database, vault: Vault, clock: FakeClock, secret: str) -> Tell:
    """Have a postman for that subscription."""
    return partial(telling, db, vault, clock=clock)


async def follow(postman: Postman, db: Database, clock: FakeClock) -> list[timedelta]:
    """Deliver the only delivery until it has ended; give the pauses between its tries."""
    waits = []
    while stored(db).state is OutboxState.WAITING:
        clock.moment = stored(db).due_at
        assert await postman.deliver_due() == 1
        waits.append(stored(db).due_at - clock.now())
    return waits[:-1]


async def test_a_receiver_that_recovers_is_told_in_the_end(
    db: Database, ann: Principal, clock: FakeClock, receiver: Receiver,
    tell: Tell, secret: str,
) -> None:  # fmt: skip
    """R-17: 500 three times, 429 for 3 s, then fine; signed, one id, the schedule kept."""
    receiver.script.extend([says(500)] * 3 + [says(429, retry_after="3")])
    post_events(db)

    async with tell() as postman:
        waits = await follow(postman, db, clock)

    assert waits[:3] == [5 * SECOND, 5 * MINUTE, 30 * MINUTE]
    assert 3 * SECOND <= waits[3] <= 4 * SECOND
    assert stored(db).state is OutboxState.SENT
    assert [each.status for each in attempts(db, ann)] == [500, 500, 500, 429, 204]
    assert {hit.id for hit in receiver.hits} == {"SB-1:ev:1"}
    signed_at = [int(hit.headers["webhook-timestamp"]) for hit in receiver.hits]
    assert len(set(signed_at)) == 5
    for hit in receiver.hits:
        verify(hit, secret)


def verify(hit: Hit, *secrets: str) -> None:
    """Check that each secret has signed; the library would ask for the time of today."""
    signed_at = datetime.fromtimestamp(int(hit.headers["webhook-timestamp"]), UTC)
    expected = [
        Webhook(key_of(secret)).sign(hit.id, signed_at, hit.body.decode())
        for secret in secrets
    ]
    assert hit.headers["webhook-signature"].split(" ") == expected


async def test_during_a_rotation_both_secrets_sign(
    db: Database, ann: Principal, vault: Vault, receiver: Receiver,
    tell: Tell, secret: str,
) -> None:  # fmt: skip
    """R-06, R-17."""
    rotate = partial(subscriptions.rotate, reference="SB-1", vault=vault)
    new = db.run(rotate, by=ann).secret
    post_events(db)

    async with tell() as postman:
        await postman.deliver_due()

    (hit,) = receiver.hits
    verify(hit, new, secret)


async def test_after_a_day_it_is_given_up_and_can_be_sent_by_hand(
    db: Database, ann: Principal, clock: FakeClock, receiver: Receiver, tell: Tell
) -> None:
    """R-17: 24 hours of tries, then dead; replay by hand arrives under the same id."""
    began = clock.now()
    receiver.script.extend([says(500)] * 8)
    post_events(db)

    async with tell() as postman:
        waits = await follow(postman, db, clock)
        assert stored(db).state is OutboxState.DEAD
        assert clock.now() - began < 24 * HOUR
        assert waits == [
            5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR,
            5 * HOUR + 24 * MINUTE + 55 * SECOND,
        ]  # fmt: skip
        assert clock.now() - began == 23 * HOUR
        assert stored(db).error.startswith("not delivered within a day")

        db.run(partial(outbox.replay, delivery_id="D-1"), by=ann)
        await postman.deliver_due()

    assert stored(db).state is OutboxState.SENT
    assert [each.attempt for each in attempts(db, ann)] == [*range(1, 10)]
    assert receiver.hits[-1].id == "SB-1:ev:1"


@pytest.mark.parametrize("asked", ["86400", "Thu, 21 Oct 9999 07:28:00 GMT"])
async def test_who_asks_for_more_than_a_day_is_tried_once_more(
    db: Database, clock: FakeClock, receiver: Receiver, tell: Tell, asked: str
) -> None:
    """R-17: an hour before the day is over, instead of being given up at once."""
    began = clock.now()
    receiver.script.append(says(429, retry_after=asked))
    post_events(db)

    async with tell() as postman:
        waits = await follow(postman, db, clock)

    assert waits == [23 * HOUR]
    assert clock.now() - began == 23 * HOUR
    assert stored(db).state is OutboxState.SENT


async def test_a_redirect_leads_nowhere(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """R-17, R-65."""
    async with receiving() as canary, tell() as postman:
        receiver.script.append(says(301, location=canary.url))
        post_events(db)
        await postman.deliver_due()

    assert canary.connections == 0
    assert len(receiver.hits) == 1
    (attempt,) = attempts(db, ann)
    assert (attempt.status, stored(db).state) == (301, OutboxState.WAITING)
    assert "not followed" in attempt.error


async def test_gone_disables_and_says_so(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """R-17: what still waits for the subscription ends with what to do, unsent."""
    receiver.script.append(says(410, b"moved out"))
    post_events(db)

    async with tell() as postman:
        await postman.deliver_due()
        post_events(db, 20, first=2)
        while await postman.deliver_due():
            pass

    assert found(db, ann).state is State.DISABLED
    of = EventFilter(types=frozenset({"subscription_disabled"}))
    (notice,) = db.look(partial(events.list_last, wanted=of), by=ann)
    assert notice.target == "SB-1"
    assert len(receiver.hits) == 1
    assert count_of(db, OutboxState.DEAD) == 21
    assert {stored(db, number).fix for number in range(1, 22)} == {
        "subscription enable SB-1, then subscription redeliver SB-1 --failed"
    }
    (attempt,) = attempts(db, ann)
    assert (attempt.status, attempt.answer) == (410, "moved out")


async def test_what_waited_for_a_disabled_one_is_sent_when_that_is_undone(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """The fix that a dead delivery names does what it says."""
    receiver.script.append(says(410))
    post_events(db)

    async with tell() as postman:
        await postman.deliver_due()
        post_events(db, 2, first=2)
        while await postman.deliver_due():
            pass
        db.run(partial(subscriptions.enable, reference="SB-1"), by=ann)
        _redeliver(db, ann)
        await postman.deliver_due()

    assert {hit.id for hit in receiver.hits} == {f"SB-1:ev:{n}" for n in (1, 2, 3)}


def _redeliver(db: Database, by: Principal) -> None:
    db.run(partial(outbox.replay_dead, of=Of("webhook", "SB-1")), by=by)


@pytest.mark.parametrize(
    ("act", "told"),
    [(hangs, "no answer within 0.3 s"), (drips, "no answer within 0.3 s"),
     (resets, "")],
    ids=["hang", "slow", "reset"],
)  # fmt: skip
async def test_whoever_does_not_answer_is_tried_again(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell, act: Act, told: str
) -> None:
    """R-17."""
    receiver.script.append(act)
    post_events(db)

    async with tell(terms=QUICK) as postman:
        await postman.deliver_due()

    (attempt,) = attempts(db, ann)
    assert attempt.status == 0
    assert attempt.error
    assert told in attempt.error
    assert stored(db).state is OutboxState.WAITING


async def test_of_a_huge_answer_a_little_is_read_and_less_kept(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """R-17: 64 KiB are read, 2 KiB kept; it counts all the same."""
    receiver.script.append(floods(receiver))
    post_events(db)

    async with tell() as postman:
        await postman.deliver_due()

    (attempt,) = attempts(db, ann)
    assert (attempt.status, attempt.answer) == (200, "x" * 2_048)
    assert stored(db).state is OutboxState.SENT
    assert receiver.sent_bytes < 32 * 1_048_576


async def test_nothing_inside_is_told_unless_it_is_allowed(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """R-65: given up at once, with the setting that would let it."""
    post_events(db)

    async with tell(terms=Terms(allow="")) as postman:
        await postman.deliver_due()

    assert receiver.connections == 0
    dead = stored(db)
    assert (dead.state, dead.attempts) == (OutboxState.DEAD, 1)
    assert "loopback" in dead.error
    assert "OPSWIRE_OUTBOUND__ALLOW" in dead.fix
    (attempt,) = attempts(db, ann)
    assert (attempt.status, attempt.error) == (0, dead.error)


async def test_one_refused_event_holds_nothing_back(
    db: Database, receiver: Receiver, tell: Tell
) -> None:
    receiver.script.append(says(400))
    post_events(db, 30)

    async with tell() as postman:
        while await postman.deliver_due():
            pass

    assert len(receiver.hits) == 30
    assert count_of(db, OutboxState.WAITING) == 1


async def test_a_receiver_that_is_down_is_probed_and_not_flooded(
    db: Database, clock: FakeClock, receiver: Receiver, tell: Tell
) -> None:
    """What waits for it costs little: a handful of tries, further and further apart."""
    receiver.usual = says(503)
    post_events(db, 200)

    async with tell() as postman:
        for _ in range(600):
            await postman.deliver_due()
            clock.advance(SECOND)

    assert len(receiver.hits) <= 8 * 8
    assert count_of(db, OutboxState.WAITING) == 200


async def test_enabling_a_receiver_ends_its_rest(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """Whoever enables it has mended it, and sees at once whether that is so."""
    receiver.usual = says(503, retry_after="3000")
    post_events(db)
    disable = partial(subscriptions.disable, reference="SB-1", reason="moving house")

    async with tell() as postman:
        await postman.deliver_due()
        post_events(db, 3, first=2)
        assert await postman.deliver_due() == 0
        db.run(disable, by=ann)
        db.run(partial(subscriptions.enable, reference="SB-1"), by=ann)
        assert await postman.deliver_due() == 3


async def test_a_subscription_that_was_deleted_is_told_nothing(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    post_events(db)
    db.run(partial(subscriptions.delete, reference="SB-1"), by=ann)

    async with tell() as postman:
        await postman.deliver_due()

    assert receiver.connections == 0
    assert (stored(db).state, stored(db).error) == (
        OutboxState.DEAD, "SB-1 was deleted",
    )  # fmt: skip


async def test_an_outage_of_the_database_loses_no_attempt(
    db: Database, ann: Principal, receiver: Receiver, tell: Tell
) -> None:
    """R-41: what was answered meanwhile is noted afterwards, once, and not sent again."""
    post_events(db)

    async with tell() as postman:
        task = asyncio.create_task(postman.run())
        with db.engine.connect() as other:
            await _until(lambda: stored(db).attempts == 1)
            other.exec_driver_sql("BEGIN EXCLUSIVE")
            await _until(lambda: len(receiver.hits) == 1)
            other.exec_driver_sql("ROLLBACK")
        await _until(lambda: stored(db).state is OutboxState.SENT)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert len(receiver.hits) == len(attempts(db, ann)) == 1


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 - of a database nobody tells us
            await asyncio.sleep(0.005)
