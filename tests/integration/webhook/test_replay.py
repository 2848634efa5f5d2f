"""The same delivery again, too many at once, and nobody to store them."""

import asyncio
import json
from datetime import timedelta

from core.hooks.model import HookAuth
from core.identity.keys import service as keys
from core.kernel.principal import Principal, system
from tests.conftest import FakeClock
from tests.integration.webhook.conftest import (
    Deliver,
    World,
    address_of,
    settled,
    signed,
)


async def test_replay_is_answered_with_the_first_result(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """`R-07`: five deliveries, one effect, all acknowledged; re-stamped ones as well."""
    new = running.endpoint(person)

    first = await deliver(new, {"title": "once"})
    await settled(running)
    running.clock.advance(timedelta(minutes=20))
    again = [await deliver(new, {"title": "once"}) for _ in range(4)]

    assert first.status_code == 202
    assert [each.status_code for each in again] == [200] * 4
    assert {each.headers["idempotency-replayed"] for each in again} == {"true"}
    reply = again[0].json()
    assert reply["data"]["id"] == "T-1"
    assert reply["request_id"] == first.json()["request_id"]
    assert len(running.tasks()) == 1


async def test_replay_while_it_waits_names_the_same_request(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)

    answers = [await deliver(new, {"title": "once"}) for _ in range(3)]

    assert [each.status_code for each in answers] == [202] * 3
    assert len({each.json()["request_id"] for each in answers}) == 1
    assert world.count("inbox") == 1


async def test_same_delivery_to_two_gateways_at_once_has_one_effect(
    running: World, person: Principal
) -> None:
    """`R-07`: two of them side by side on one database."""
    new = running.endpoint(person)
    other = running.new_intake()
    other.start()
    body = b'{"title": "once"}'
    headers = signed(new, body, at=running.clock.now())

    async with running.client() as one, running.client(other) as two:
        answers = await asyncio.gather(
            *(
                client.post(address_of(new.endpoint), content=body, headers=headers)
                for client in (one, two) * 5
            )
        )
    await settled(running)
    await asyncio.wait_for(other.settle(), timeout=10)
    await other.stop()

    assert {each.status_code for each in answers} <= {200, 202}
    assert len(running.tasks()) == 1


async def test_same_id_with_another_body_is_refused(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """`R-03`: silence about the second message would be a lie."""
    new = running.endpoint(person)
    await deliver(new, {"title": "one"})

    response = await deliver(new, {"title": "two"})
    await settled(running)

    assert response.status_code == 422
    assert [task.title for task in running.tasks()] == ["one"]


async def test_idempotency_key_makes_keyed_deliveries_one(
    running: World, person: Principal
) -> None:
    """`R-03`: without the header each delivery is a message of its own."""
    new = running.endpoint(person, auth=HookAuth.KEY)
    key = running.db.run(
        lambda tx: keys.create(tx, "ci", user_id=person.id), by=system()
    )
    plain = {"x-api-key": key.text}
    body = b'{"title": "x"}'

    async with running.client() as client:
        for headers in (plain, plain, *[{**plain, "idempotency-key": "k"}] * 3):
            await client.post(address_of(new.endpoint), content=body, headers=headers)
    await settled(running)

    assert len(running.tasks()) == 3


async def test_load_is_queued_and_never_refused(
    running: World, person: Principal, deliver: Deliver, clock: FakeClock
) -> None:
    """`R-16`: 80 posts at once under a limit of one a minute."""
    running.limiter.configure("default", "webhook", {"channel": "1/minute"})
    new = running.endpoint(person)

    answers = await asyncio.gather(
        *(deliver(new, {"title": f"alert {n}"}, message_id=f"m{n}") for n in range(80))
    )
    await settled(running)

    assert {each.status_code for each in answers} == {202}
    assert len(running.tasks()) == 1

    running.limiter.configure("default", "webhook", {"channel": "1000/minute"})
    clock.advance(timedelta(seconds=31))
    await running.intake.drain()
    await settled(running)

    assert len(running.tasks()) == 80


async def test_database_that_is_gone_means_503_with_retry_after(
    world: World, person: Principal, deliver: Deliver
) -> None:
    """`R-16`: nothing is acknowledged that was not stored."""
    new = world.endpoint(person)
    body = json.dumps({"title": "x"}).encode()
    headers = signed(new, body, at=world.clock.now())

    async with world.client() as client:
        await client.post(address_of(new.endpoint), content=body, headers=headers)
        world.db._writer.close()
        response = await client.post(
            address_of(new.endpoint),
            content=body + b" ",
            headers=signed(new, body + b" ", message_id="m2", at=world.clock.now()),
        )

    assert response.status_code == 503
    assert int(response.headers["retry-after"]) >= 1
