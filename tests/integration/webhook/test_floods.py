"""A flood of deliveries: it waits, says why, and locks out nobody who talks."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from core.delivery import received
from core.delivery.model import InboxKey
from core.delivery.received import Received
from core.hooks import deliveries
from core.kernel.envelope import Envelope
from core.kernel.principal import DEFAULT_TENANT, Principal, system
from core.kernel.reply import Reply, reply_from_json
from gateway.hooks import HookSource
from gateway.intake import Arrival, Intake
from gateway.stored import Work
from tests.conftest import FakeClock
from tests.integration.webhook.conftest import Deliver, World, settled

RATE = "5/minute"
CONTROL = ("help", "status", "whoami")


class Chat:
    """A channel on which one person talks, each message a line."""

    is_chat = True

    def __init__(self, who: Principal) -> None:
        self.who = who

    async def open(self, stored: Received) -> Work:
        """Take the payload for the line."""
        line = Envelope(
            channel=stored.key.channel,
            sender=stored.key.sender,
            external_id=stored.key.key,
            text=stored.payload,
            received_at=stored.received_at,
            request_id=stored.request_id,
            credential=self.who,
        )
        return Work(principal=self.who, envelopes=[line])


@pytest.fixture
async def talking(world: World, person: Principal) -> Any:
    """A gateway with webhooks and a chat, each limited to five a minute."""
    for channel in ("webhook", "chat", "trigger"):
        rates = dict.fromkeys(("channel", "tenant", "principal"), RATE)
        world.limiter.configure(DEFAULT_TENANT, channel, rates)
    world.intake = Intake(
        world.db,
        world.pipeline,
        sources={
            "webhook": HookSource(world.db, world.registry),
            "chat": Chat(person),
        },
        tenants=world.tenants,
    )
    world.intake.start()
    yield world
    await world.intake.stop()


async def flood(world: World, deliver: Deliver, by: Principal, many: int = 30) -> None:
    new = world.endpoint(by)
    answers = await asyncio.gather(
        *(deliver(new, {"title": f"{n}"}, message_id=f"m{n}") for n in range(many))
    )
    await settled(world)
    assert {each.status_code for each in answers} == {202}
    assert len(world.tasks()) == 5


async def say(world: World, line: str, number: int) -> Reply:
    """Say a line on the chat, and give the stored answer."""
    key = InboxKey(DEFAULT_TENANT, "chat", "acme", "U0ANN", f"c{number}")
    receipt = await world.intake.receive(
        Arrival(key=key, request_hash=f"{number}", payload=line)
    )
    await settled(world)
    stored = world.db.look(
        lambda tx: received.find(tx, receipt.request_id), by=system()
    )
    assert stored is not None
    return reply_from_json(deliveries.reply_of(stored))


def listed(world: World) -> list[deliveries.Delivery]:
    page = world.db.look(lambda tx: deliveries.list_(tx, "W-1"), by=system())
    return list(page.items)


async def test_a_flood_of_deliveries_locks_out_nobody(
    talking: World, person: Principal, deliver: Deliver
) -> None:
    """R-16, R-64: machines and people are counted apart, tenant-wide as well."""
    await flood(talking, deliver, person)

    replies = [await say(talking, line, n) for n, line in enumerate(["task list"] * 5)]

    assert [each.error for each in replies] == [None] * 5


async def test_what_steers_work_is_answered_when_the_windows_are_full(
    talking: World, person: Principal, deliver: Deliver
) -> None:
    """R-64: on a channel that stores first; the rest is refused as before."""
    await flood(talking, deliver, person)
    for number in range(5):
        await say(talking, "task list", number)

    steering = [await say(talking, line, 10 + n) for n, line in enumerate(CONTROL)]
    work = await say(talking, "task list", 20)
    nonsense = await say(talking, "helq", 21)

    assert [each.error for each in steering] == [None] * len(CONTROL)
    assert work.error
    assert work.error.code == "rate_limited"
    assert nonsense.error
    assert nonsense.error.code == "rate_limited"


async def test_steering_has_a_limit_of_its_own(talking: World) -> None:
    """R-64: not even `help` is answered without end."""
    replies = [await say(talking, "help", number) for number in range(11)]

    refused = [each.error is not None for each in replies]
    assert refused == [False] * 10 + [True]


async def test_deliveries_keep_no_trigger_from_firing(
    talking: World, person: Principal, deliver: Deliver
) -> None:
    await flood(talking, deliver, person)

    for _ in range(5):
        talking.limiter.admit_delivery(DEFAULT_TENANT, "trigger", "G-1")


async def test_why_a_delivery_waits_is_shown_until_it_runs(
    talking: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    """R-16."""
    await flood(talking, deliver, person, many=8)

    held = [each for each in listed(talking) if each.outcome == "waiting"]
    talking.limiter.configure(DEFAULT_TENANT, "webhook", {})
    clock.advance(timedelta(seconds=31))
    await talking.intake.drain()
    await settled(talking)

    told = "above the limit of 5/minute, runs when there is room"
    assert [each.summary for each in held] == [told] * 3
    assert {each.outcome for each in listed(talking)} == {"done"}
    assert not any("limit" in each.summary for each in listed(talking))


async def test_a_flood_is_logged_once_at_each_end(
    talking: World,
    person: Principal,
    deliver: Deliver,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await flood(talking, deliver, person)
    for _ in range(2):
        clock.advance(timedelta(seconds=31))
        await talking.intake.drain()
        await settled(talking)
    begun = [each for each in caplog.records if each.message == "intake.limited"]

    talking.limiter.configure(DEFAULT_TENANT, "webhook", {})
    clock.advance(timedelta(seconds=31))
    await talking.intake.drain()
    await settled(talking)
    await talking.intake.drain()

    said = [each for each in caplog.records if each.message == "intake.limited"]
    first, last = (each.__dict__ for each in said)
    assert len(begun) == 1
    assert (first["phase"], first["channel"], first["account"]) == (
        "begins",
        "webhook",
        "W-1",
    )
    assert RATE in first["reason"]
    assert (last["phase"], last["waited"]) == ("ends", 25)
