"""The outbox by hand: who may do what, and what it comes to."""

import pytest

from channels.base import Undeliverable
from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person
from tests.api.rooms import Room, open_room
from tests.api.stage_sets import a_failed_delivery


@pytest.fixture
async def room(gateway: Gateway, ann: Person) -> Room:
    """A room whose first answer can never be delivered, as things are."""
    room = await open_room(gateway)
    room.courier.faults.append(Undeliverable("not_in_channel", fix="invite the app"))
    await room.say("task create Fix", response_url="https://hooks.example/secret")
    return room


async def test_what_was_not_delivered_is_shown_with_its_fix(
    gateway: Gateway, room: Room
) -> None:
    """M-OMN: and without the address by which anybody could answer for us."""
    listed = (await gateway.admin.get("/v1/outbox?status=dead")).body["items"]
    shown = (await gateway.admin.get("/v1/outbox/D-1")).body

    assert [each["id"] for each in listed] == ["D-1"]
    assert (shown["error"], shown["fix"]) == ("not_in_channel", "invite the app")
    assert shown["summary"] == "Created T-1 in queued"
    assert shown["place"] == {"channel": "C1"}
    assert shown["reply"].startswith("rp_")
    assert shown["request"] == f"rq_{shown['reply'][3:]}"


async def test_a_replay_is_delivered_like_the_first_time(
    gateway: Gateway, room: Room
) -> None:
    replayed = await gateway.admin.post("/v1/outbox/D-1/replay")
    await room.settle()

    assert (replayed.status, replayed.body["replayed"]) == (200, 1)
    assert [each.reply.summary for each in room.courier.delivered] == [
        "Created T-1 in queued"
    ]
    assert (await gateway.admin.get("/v1/outbox/D-1")).body["state"] == "sent"


async def test_dropping_asks_first(gateway: Gateway) -> None:
    a_failed_delivery(gateway)

    asked = await gateway.admin.say("outbox drop D-1")
    done = await gateway.admin.say(f"confirm {asked.data['token']}")

    assert (asked.status, done.status) == (409, 200)
    assert (await gateway.admin.get("/v1/outbox/D-1")).status == 404


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("outbox replay", "invalid_argument"),
        ("outbox replay D-1 --channel slack", "invalid_argument"),
        ("outbox replay --channel pigeon", "not_found"),
        ("outbox replay D-9", "not_found"),
        ("outbox show T-1", "not_found"),
        ("outbox list --channel pigeon", "not_found"),
        ("outbox list --status lost", "invalid_argument"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_would(
    gateway: Gateway, line: str, code: str
) -> None:
    a_failed_delivery(gateway)

    answer = await gateway.admin.say(line)

    assert answer.error["code"] == code
    assert answer.error["fix"]


async def test_who_may_look_may_not_meddle(gateway: Gateway) -> None:
    a_failed_delivery(gateway)
    carol = gateway.person("carol", Role.VIEWER)

    seen = await carol.get("/v1/outbox")
    meddled = await carol.post("/v1/outbox/D-1/replay")

    assert (seen.status, len(seen.body["items"])) == (200, 1)
    assert (meddled.status, meddled.error["code"]) == (403, "missing_scope")


async def test_another_tenant_has_an_outbox_of_its_own(gateway: Gateway) -> None:
    """R-59."""
    a_failed_delivery(gateway)
    stranger = gateway.person("eve", Role.ADMIN, tenant="globex")

    listed = await stranger.get("/v1/outbox")
    shown = await stranger.get("/v1/outbox/D-1")

    assert listed.body["items"] == []
    assert shown.status == 404
