"""Buttons below a reply: what they say is done, with the rights of whoever presses."""

from datetime import timedelta

import pytest

from core.kernel.principal import Role
from tests.api.channels import Writer
from tests.api.gateway import Answer, Gateway, Person


async def created(by: Person) -> Answer:
    """Create T-1; below the answer stand Claim, Open and Undo."""
    answer = await by.say('task create "Fix login"')
    assert answer.status in (200, 201), answer
    return answer


async def test_a_button_does_what_it_says_for_whoever_presses(
    ann: Person, bob: Person
) -> None:
    reply = await created(ann)

    pressed = await bob.say(f"press {reply.body['id']}.0")

    assert pressed.body["command"] == "task claim T-1"
    assert pressed.data["assignee"] == "bob"


async def test_rights_are_those_of_whoever_presses(
    gateway: Gateway, ann: Person
) -> None:
    carl = gateway.person("carl", Role.VIEWER)
    reply = await created(ann)

    pressed = await carl.say(f"press {reply.body['id']}.0")

    assert pressed.error["code"] == "missing_scope"


async def test_undo_is_the_last_button_and_its_actors_alone(
    ann: Person, bob: Person
) -> None:
    reply = await created(ann)

    refused = await bob.say(f"press {reply.body['id']}.2")
    undone = await ann.say(f"press {reply.body['id']}.2")

    assert "cannot be taken back" in refused.error["detail"]
    assert undone.data["status"] == "abandoned"


async def test_a_proposal_is_confirmed_by_its_button(gateway: Gateway) -> None:
    asked = await gateway.admin.say("channel disable webhook --reason drill")

    confirmed = await gateway.admin.say(f"press {asked.body['id']}.0")

    assert asked.body["status"] == "needs_confirmation"
    assert confirmed.status == 200, confirmed
    assert confirmed.body["command"] == "channel disable webhook"


async def test_what_cannot_be_taken_back_wants_its_id_with_the_press(
    gateway: Gateway,
) -> None:
    made = await gateway.admin.say("webhook create alerts --command version")
    await gateway.admin.say(f"confirm {made.data['token']}")
    asked = await gateway.admin.say("webhook delete W-1 --reason unused", key="ask")

    bare = await gateway.admin.say(f"press {asked.body['id']}.0")
    wrong = await gateway.admin.say(f"press {asked.body['id']}.0 --confirm W-2")
    typed = await gateway.admin.say(f"press {asked.body['id']}.0 --confirm W-1")

    assert bare.body["status"] == "needs_confirmation"
    assert wrong.error["code"] == "invalid_argument"
    assert typed.status == 200, typed


@pytest.mark.parametrize("button", ["rp_1.0", "rp_0000.0", "{id}.7", "{id}.x", "{id}"])
async def test_an_unknown_button_is_refused(ann: Person, button: str) -> None:
    reply = await created(ann)

    answer = await ann.say("press " + button.format(id=reply.body["id"]))

    assert answer.error["code"] == "conflict"


async def test_a_button_works_for_a_day(gateway: Gateway, ann: Person) -> None:
    reply = await created(ann)
    gateway.clock.advance(timedelta(hours=24, seconds=1))

    answer = await ann.say(f"press {reply.body['id']}.1")

    assert answer.error["code"] == "conflict"
    assert "24 hours" in answer.error["detail"]


async def test_a_button_of_another_tenant_is_unknown(
    gateway: Gateway, ann: Person
) -> None:
    reply = await created(ann)
    eve = gateway.person("eve", tenant="other")

    answer = await eve.say(f"press {reply.body['id']}.0")

    assert answer.error["code"] == "conflict"


async def test_a_stranger_is_not_told_which_buttons_there_are(
    gateway: Gateway, ann: Person
) -> None:
    stranger = Writer(gateway, "slack", "U0EVE")
    real = (await created(ann)).body["id"]

    refused = [await stranger.say(f"press {each}.0") for each in (real, "rp_NONE")]

    assert [each.error and each.error.code for each in refused] == ["not_linked"] * 2
