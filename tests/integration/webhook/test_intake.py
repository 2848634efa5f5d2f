"""What was acknowledged is run once: after a crash, beside others, and when it fails."""

import asyncio
from datetime import timedelta

from core.delivery import received
from core.delivery.model import InboxKey
from core.delivery.received import Received
from core.hooks import deliveries
from core.hooks import service as hooks
from core.hooks.model import PayloadMap
from core.kernel.principal import DEFAULT_TENANT, Principal, system
from core.kernel.problems import Unavailable
from gateway.hooks import HookSource
from gateway.intake import QUEUE_LIMIT, Arrival, Intake
from gateway.stored import Source, Work
from tests.integration.webhook.conftest import Deliver, World, settled


async def run_all(intake: Intake) -> None:
    """Live as a gateway does for a moment: drain, then work off the queue."""
    intake.start()
    await intake.drain()
    await asyncio.wait_for(intake.settle(), timeout=20)
    await intake.stop()


def waiting(world: World) -> list[Received]:
    found = world.db.look(
        lambda tx: received.list_waiting(tx, limit=2_000, is_free_only=False),
        by=system(),
    )
    return list(found)


async def test_crash_between_acknowledgement_and_effect_loses_nothing(
    world: World, person: Principal, deliver: Deliver
) -> None:
    """`R-07`: nobody ran it before the restart, and nobody runs it twice after."""
    new = world.endpoint(person)
    acknowledged = await deliver(new, {"title": "survives"})
    assert world.tasks() == []

    world.intake = world.new_intake()
    await run_all(world.intake)
    await run_all(world.new_intake())
    replay = await deliver(new, {"title": "survives"})

    assert acknowledged.status_code == 202
    assert [task.title for task in world.tasks()] == ["survives"]
    assert replay.status_code == 200


async def test_gateways_that_find_the_same_message_run_it_once(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)
    for number in range(20):
        await deliver(new, {"title": f"{number}"}, message_id=f"m{number}")

    await asyncio.gather(*(run_all(world.new_intake()) for _ in range(4)))

    assert sorted(int(task.title) for task in world.tasks()) == list(range(20))


async def test_running_gateway_leaves_what_another_has_claimed(
    world: World, person: Principal, deliver: Deliver
) -> None:
    """A claim lasts 30 s; only a gateway that just started looks past it."""
    new = world.endpoint(person)
    survivor = world.new_intake()
    await survivor.drain()
    await deliver(new, {"title": "claimed"})

    await run_all(survivor)
    before = world.tasks()
    world.clock.advance(timedelta(seconds=31))
    await run_all(survivor)

    assert before == []
    assert [task.title for task in world.tasks()] == ["claimed"]


async def test_what_the_queue_cannot_hold_waits_in_the_inbox(
    world: World, person: Principal
) -> None:
    """`R-16`: a flood is on disk, memory stays bounded, and every message is run."""
    world.endpoint(person, PayloadMap(command="probe fail", filter="`false`"))
    rates = dict.fromkeys(("channel", "tenant", "principal"), "100000/minute")
    world.limiter.configure("default", "webhook", rates)
    flood = QUEUE_LIMIT + 20
    await asyncio.gather(
        *(
            world.intake.receive(
                Arrival(
                    key=InboxKey(DEFAULT_TENANT, "webhook", "W-1", "", f"m{number}"),
                    request_hash="h",
                    payload='{"headers": {}, "body": "{}"}',
                )
            )
            for number in range(flood)
        )
    )

    await run_all(world.intake)
    left = len(waiting(world))
    await run_all(world.new_intake())

    assert 0 < left <= 20
    assert waiting(world) == []


async def test_fault_of_a_command_ends_its_delivery(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """It is told without its cause, audited, and not tried for ever."""
    new = running.endpoint(person, PayloadMap(command="probe fail"))

    await deliver(new, {})
    await settled(running)
    await run_all(running.new_intake())
    replay = await deliver(new, {})

    page = running.db.look(lambda tx: deliveries.list_(tx, "W-1"), by=system())
    assert page.items[0].code == "internal"
    assert replay.status_code == 200
    assert "fault of ours" not in replay.text
    assert [entry["verdict"] for entry in running.audits()][-1] == "failed"


class Slow:
    """A source that takes its time until it is let go."""

    is_chat = False

    def __init__(self, real: Source) -> None:
        self.real = real
        self.asked: list[str] = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def open(self, stored: Received) -> Work:
        """Wait, and then do as always."""
        self.asked.append(stored.request_id)
        self.begun.set()
        await self.may_end.wait()
        return await self.real.open(stored)


async def test_what_is_run_here_is_not_queued_again_when_its_claim_ends(
    world: World, person: Principal, deliver: Deliver
) -> None:
    """One slow delivery would otherwise fill all workers, one after the other."""
    new = world.endpoint(person)
    slow = Slow(HookSource(world.db, world.registry))
    intake = Intake(
        world.db, world.pipeline, sources={"webhook": slow}, tenants=world.tenants
    )
    receipt = await deliver(new, {"title": "slow"})
    await intake.drain()
    intake.start()
    await asyncio.wait_for(slow.begun.wait(), timeout=10)

    for _ in range(3):
        world.clock.advance(timedelta(seconds=31))
        await intake.drain()
    asked = list(slow.asked)
    slow.may_end.set()
    await asyncio.wait_for(intake.settle(), timeout=10)
    await intake.stop()

    assert asked == [receipt.json()["request_id"]]
    assert slow.asked == asked
    assert [task.title for task in world.tasks()] == ["slow"]


class Flaky:
    """A source that cannot tell at first, as while the database is away."""

    is_chat = False

    def __init__(self, real: Source) -> None:
        self.real = real
        self.asked = 0

    async def open(self, stored: Received) -> Work:
        """Fail once."""
        self.asked += 1
        if self.asked == 1:
            raise Unavailable("the database does not answer")
        return await self.real.open(stored)


async def test_outage_postpones_a_delivery(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)
    flaky = Flaky(HookSource(world.db, world.registry))
    intake = Intake(
        world.db, world.pipeline, sources={"webhook": flaky}, tenants=world.tenants
    )
    await deliver(new, {"title": "later"})

    await run_all(intake)
    before = world.tasks()
    world.clock.advance(timedelta(seconds=31))
    await run_all(intake)

    assert before == []
    assert [task.title for task in world.tasks()] == ["later"]


async def test_delivery_to_a_deleted_webhook_ends_with_the_reason(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)
    await deliver(new, {"title": "too late"})
    world.db.run(lambda tx: hooks.delete(tx, "W-1"), by=person)

    await run_all(world.intake)

    page = world.db.look(lambda tx: deliveries.list_(tx, "W-1"), by=system())
    assert page.items[0].code == "not_found"
    assert world.tasks() == []


async def test_messages_of_an_unknown_channel_wait(world: World) -> None:
    """A gateway without that channel must not end what another could run."""
    await world.intake.receive(
        Arrival(
            key=InboxKey(DEFAULT_TENANT, "carrier-pigeon", "", "", "m1"),
            request_hash="h",
            payload="{}",
        )
    )

    await run_all(world.new_intake())

    assert [each.key.channel for each in waiting(world)] == ["carrier-pigeon"]
