"""Deliveries on either database: once, in order, whichever of two postmen takes them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from channels.base import Capabilities
from core.database import Database
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import OutboxDraft, OutboxState
from core.kernel.jsons import to_json
from core.kernel.principal import TenantId, system
from core.kernel.reply import Reply
from gateway.notifier import Cards, Watchers
from gateway.outbox import Post, Postman, budget_of
from gateway.reactor import Reactor
from tests.contract.conftest import OpenDatabase
from tests.couriers import ScriptedCourier

ROOMS, EACH = 6, 20


async def tenants() -> list[TenantId]:
    return [system().tenant]


def post_all(db: Database) -> Sequence[str]:
    """Post to six rooms in turn; return the keys."""
    keys = [f"{room}-{number}" for number in range(EACH) for room in range(ROOMS)]
    body = to_json(Reply(summary="Done")).decode()
    for key in keys:
        draft = OutboxDraft(
            key=key,
            channel="slack",
            account="acme",
            place={"channel": key.partition("-")[0]},
            body=body,
        )
        db.run(partial(outbox.post, draft=draft), by=system())
    return keys


def waiting(db: Database) -> int:
    counted = db.look(outbox.count_open, by=system())
    return counted.get(("slack", OutboxState.WAITING), 0)


async def work(postmen: Sequence[Postman], is_done: Callable[[], bool]) -> None:
    """Have postmen work until something is so."""
    working = [asyncio.create_task(each.run()) for each in postmen]
    async with asyncio.timeout(60):
        while not is_done():  # noqa: ASYNC110 - of a database nobody tells us
            await asyncio.sleep(0.02)
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


async def test_two_gateways_deliver_each_once_and_in_order(
    open_another: OpenDatabase,
) -> None:
    """R-09, R-30: what is on its way is known to both, because the database knows."""
    databases = [open_another(), open_another()]
    keys = post_all(databases[0])
    courier = ScriptedCourier()
    budget = budget_of(Capabilities(edit=True))
    postmen = [
        Postman(
            db, {"slack": Post(courier, budget)}, tenants=tenants, is_on=lambda *_: True
        )
        for db in databases
    ]

    await work(postmen, lambda: waiting(databases[0]) == 0)

    assert Counter(courier.keys) == Counter(keys)
    for room in range(ROOMS):
        mine = [key for key in courier.keys if key.startswith(f"{room}-")]
        assert mine == [f"{room}-{number}" for number in range(EACH)]


async def test_the_reactor_starts_on_an_empty_database(
    open_another: OpenDatabase,
) -> None:
    """Its queries run on either engine."""
    db = open_another()
    reactor = Reactor(
        db, [Watchers(), Cards()], tenants=tenants, on_posted=lambda: None
    )

    await reactor.react_to_news()
    await reactor.react_to_news()
