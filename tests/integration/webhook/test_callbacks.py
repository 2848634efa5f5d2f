"""The answer to each delivery is sent on to the subscription that its webhook names."""

from collections.abc import Mapping

import pytest

from core.hooks import service as hooks
from core.hooks.model import HookAuth, NewEndpoint, PayloadMap
from core.hooks.subscriptions import service as subscriptions
from core.kernel.jsons import Json, parse_json
from core.kernel.principal import Principal, Role
from core.kernel.reply import reply_from_json
from tests.integration.webhook.conftest import ALERTS, Deliver, World, settled
from tests.subscribers import ACME, posted, subscribed


@pytest.fixture
def called_back(running: World, person: Principal) -> NewEndpoint:
    """A webhook that makes tasks, and says so to a subscription."""
    subscribed(running.db, person, running.vault)
    return an_endpoint(running, person)


def an_endpoint(
    world: World, by: Principal, payload_map: PayloadMap = ALERTS
) -> NewEndpoint:
    """Make a webhook whose answers go to SB-1."""
    return world.db.run(
        lambda tx: hooks.create(
            tx,
            "alerts",
            [payload_map],
            auth=HookAuth.STANDARD,
            vault=world.vault,
            callback="SB-1",
        ),
        by=by,
    )


def answers(world: World, by: Principal) -> list[Mapping[str, Json]]:
    """The replies that are on their way to the subscription, in their order."""
    told = []
    for each in posted(world.db, by, "SB-1"):
        body = parse_json(each.body)
        assert isinstance(body, dict)
        told.append(reply_from_json(body).data)
    return told


async def test_answer_is_sent_whole_under_its_own_id(
    running: World, person: Principal, called_back: NewEndpoint, deliver: Deliver
) -> None:
    receipt = (await deliver(called_back, {"title": "Fix login"})).json()
    await settled(running)

    (delivery,) = posted(running.db, person)
    (answer,) = answers(running, person)

    assert delivery.key == f"SB-1:rp:{answer['id']}"
    assert delivery.place == {"subscription": "SB-1", "kind": "reply"}
    assert answer["request_id"] == receipt["request_id"]
    assert answer["command"] == 'task create "Fix login"'
    assert isinstance(answer["data"], dict)
    assert answer["data"]["id"] == "T-1"


async def test_what_failed_is_said_too(
    running: World, person: Principal, called_back: NewEndpoint, deliver: Deliver
) -> None:
    await deliver(called_back, {"title": ""})
    await settled(running)

    (answer,) = answers(running, person)

    assert isinstance(answer["error"], dict)
    assert answer["error"]["code"] == "invalid_argument"


async def test_same_delivery_again_says_nothing_more(
    running: World, person: Principal, called_back: NewEndpoint, deliver: Deliver
) -> None:
    for _ in range(3):
        await deliver(called_back, {"title": "Fix login"}, message_id="msg_7")
        await settled(running)

    assert len(answers(running, person)) == 1


async def test_what_was_skipped_has_no_answer(
    running: World, person: Principal, deliver: Deliver
) -> None:
    subscribed(running.db, person, running.vault)
    picky = PayloadMap(
        command="task create", arguments={"title": "title"}, filter="nothing"
    )
    new = an_endpoint(running, person, picky)

    await deliver(new, {"title": "Fix login"})
    await settled(running)

    assert answers(running, person) == []


async def test_nobody_is_told_once_the_subscription_is_gone(
    running: World, person: Principal, called_back: NewEndpoint, deliver: Deliver
) -> None:
    running.db.run(lambda tx: subscriptions.delete(tx, "SB-1"), by=person)

    response = await deliver(called_back, {"title": "Fix login"})
    await settled(running)

    assert response.status_code == 202
    assert [each.title for each in running.tasks()] == ["Fix login"]
    assert answers(running, person) == []


async def test_another_tenants_subscription_of_that_id_hears_nothing(
    running: World, person: Principal, called_back: NewEndpoint, deliver: Deliver
) -> None:
    """R-59."""
    bob = running.user("bob", Role.ADMIN, ACME)
    subscribed(running.db, bob, running.vault)

    await deliver(called_back, {"title": "Fix login"})
    await settled(running)

    assert len(answers(running, person)) == 1
    assert posted(running.db, bob) == []
