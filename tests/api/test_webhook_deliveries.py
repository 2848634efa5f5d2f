"""Deliveries over REST: sent once however often asked for, replayed with consent."""

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person
from tests.api.stage_sets import DELIVERY, a_failed_post

SEND = "/v1/webhooks/W-1/send"
REPLAY = "/v1/webhooks/W-1/replay"


@pytest.fixture
def admin(gateway: Gateway) -> Person:
    """The admin, whose webhook W-1 failed with one delivery."""
    a_failed_post(gateway)
    return gateway.admin


async def listed(admin: Person) -> list[str]:
    answer = await admin.get("/v1/webhooks/W-1/deliveries")
    return [each["id"] for each in answer.body["items"]]


async def test_one_key_sends_one_delivery(admin: Person) -> None:
    """R-03: the same request again is told the same delivery."""
    body = {"payload": {"a": 1}}

    first, again = [
        await admin.call("POST", SEND, body, idempotency_key="k1") for _ in range(2)
    ]
    other = await admin.call("POST", SEND, body, idempotency_key="k2")

    assert (first.status, again.status) == (200, 200)
    assert first.body["id"] == again.body["id"] != other.body["id"]
    assert len(await listed(admin)) == 3


async def test_a_call_of_the_route_is_consent_and_a_line_is_not(admin: Person) -> None:
    """More than one at once is risky; the resource call itself agrees to it."""
    line = await admin.say("webhook replay W-1 --failed")
    called = await admin.call("POST", REPLAY, {"failed": True})

    assert line.status == 409
    assert line.data["danger"] == "risky"
    assert (called.status, called.body["replayed"]) == (200, 1)


async def test_single_delivery_has_an_address_of_its_own(admin: Person) -> None:
    shown = await admin.get(f"/v1/webhooks/alerts/deliveries/{DELIVERY}")
    replayed = await admin.call(
        "POST", f"/v1/webhooks/W-1/deliveries/{DELIVERY}/replay", {}
    )

    assert shown.body["outcome"] == "failed"
    assert replayed.body["items"][0]["is_new"] is True
    assert replayed.body["items"][0]["now"] in await listed(admin)


async def test_rehearsal_of_a_replay_changes_nothing(admin: Person) -> None:
    told = await admin.say(f"webhook replay W-1 {DELIVERY} --dry-run")

    assert told.data["dry_run"] is True
    assert await listed(admin) == [DELIVERY]


@pytest.mark.parametrize("path", [SEND, REPLAY])
async def test_operators_neither_send_nor_replay(
    admin: Person, gateway: Gateway, path: str
) -> None:
    bob = gateway.person("bob", Role.OPERATOR)

    answer = await bob.call("POST", path, {"payload": 1} if path == SEND else {})

    assert answer.status == 403
    assert answer.body["scope"] in ("webhooks:deliver", "webhooks:write")


async def test_delivery_that_never_came_is_not_found(admin: Person) -> None:
    unknown = await admin.get("/v1/webhooks/W-1/deliveries/rq_unknown")
    nowhere = await admin.get(f"/v1/webhooks/W-9/deliveries/{DELIVERY}")

    assert (unknown.status, nowhere.status) == (404, 404)
    assert unknown.body["fix"]
