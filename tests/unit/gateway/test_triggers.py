"""The consumer behind triggers: after a reaction, the inbox is looked at at once."""

import asyncio

from core.database import Database, Tx
from core.delivery import received
from core.delivery.received import Received
from core.events import service as events
from core.hooks.model import PayloadMap
from core.hooks.triggers import service as triggers
from core.hooks.triggers.model import parse_when
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, Role, TenantId, system
from gateway.reactor import Reactor
from gateway.triggers import Triggers

DEADLINE_SECONDS = 10


class Drains:
    """Counts how often the inbox was looked at."""

    def __init__(self) -> None:
        self.count = 0
        self.came = asyncio.Event()

    async def drain(self) -> None:
        self.count += 1
        self.came.set()


def a_trigger(db: Database, on: str) -> None:
    def make(tx: Tx) -> None:
        ann = users.create(tx, "ann", roles=[Role.ADMIN])
        tx.principal = to_principal(ann, Assurance.SECRET)
        triggers.create(tx, "tell", parse_when([on]), PayloadMap(command="version"))

    db.run(make, by=system())


def a_reactor(db: Database, consumer: Triggers) -> Reactor:
    async def tenants() -> list[TenantId]:
        return [system().tenant]

    return Reactor(db, [consumer], tenants=tenants, on_posted=consumer.ring)


def waiting(db: Database, by: Principal) -> list[Received]:
    return list(db.look(lambda tx: received.list_waiting(tx, limit=10), by=by))


async def test_a_fire_has_the_inbox_drained_at_once(db: Database) -> None:
    """And not with the next look, up to five seconds later."""
    consumer, drains = Triggers(), Drains()
    reactor = a_reactor(db, consumer)
    await reactor.react_to_news()
    a_trigger(db, "ping_sent")

    async with asyncio.TaskGroup() as group:
        hurry = group.create_task(consumer.hurry(drains.drain))
        db.run(lambda tx: events.append(tx, "ping_sent"), by=system())
        await reactor.react_to_news()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await drains.came.wait()
        hurry.cancel()

    assert drains.count == 1
    (stored,) = waiting(db, system())
    assert (stored.key.channel, stored.key.account) == ("trigger", "G-1")


async def test_what_others_posted_rings_for_nobody(db: Database) -> None:
    consumer, drains = Triggers(), Drains()

    async with asyncio.TaskGroup() as group:
        hurry = group.create_task(consumer.hurry(drains.drain))
        consumer.ring()
        await asyncio.sleep(0)
        hurry.cancel()

    assert drains.count == 0


async def test_reactors_of_two_gateways_set_a_trigger_off_once(db: Database) -> None:
    """R-07, R-30: the fire and the cursor are one unit."""
    reactors = [a_reactor(db, Triggers()) for _ in range(2)]
    for each in reactors:
        await each.react_to_news()
    a_trigger(db, "ping_sent")

    for _ in range(5):
        db.run(lambda tx: events.append(tx, "ping_sent"), by=system())
        await asyncio.gather(*(each.react_to_news() for each in reactors))

    keys = [each.key.key for each in waiting(db, system())]
    assert len(keys) == len(set(keys)) == 5


async def test_without_a_trigger_nothing_is_wanted(db: Database) -> None:
    consumer = Triggers()

    assert db.look(consumer.wanted, by=system()) is None


def test_what_triggers_tell_sets_nothing_off(db: Database) -> None:
    a_trigger(db, "ping_sent")

    def react(tx: Tx) -> None:
        (event,) = events.list_last(tx, limit=1)
        assert event.type == "trigger_created"
        Triggers().react(tx, event)

    db.run(react, by=system())

    assert waiting(db, system()) == []
