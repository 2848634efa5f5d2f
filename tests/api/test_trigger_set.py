"""Triggers that are changed, whose looks fail, and whose commands wait for approval."""

from collections.abc import AsyncIterator

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Gateway
from tests.api.triggers import NOTE_ON_T1, Triggering, a_hook, named


@pytest.fixture
async def world(gateway: Gateway) -> AsyncIterator[Triggering]:
    """A gateway with a task to write notes on, whose triggers react when told to."""
    world = Triggering(gateway)
    await world.start()
    await world.admin.say("task create one")
    yield world
    await world.stop()


async def test_what_is_given_changes_and_the_rest_stays(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)

    changed = await world.admin.patch(
        f"/v1/triggers/{trigger}", {"on": ["web_lost"], "filter": "target"}
    )

    assert changed.body["on"] == ["web_lost"]
    assert changed.body["rule"]["filter"] == "target"
    assert changed.body["rule"]["templates"] == NOTE_ON_T1["templates"]
    (told,) = world.events("trigger_changed")
    assert (told.target, told.details["command"]) == (trigger, "task note")


async def test_a_changed_trigger_does_what_it_is_now(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.patch(
        f"/v1/triggers/{trigger}",
        {"command": "task create", "templates": {"title": "See {target}"}},
    )

    await world.admin.say("event add web_deployed --target web-1")
    await world.settle()

    assert (await world.tasks())[-1] == "See web-1"
    assert await world.notes() == []


async def test_another_command_begins_without_the_mapping_of_the_last(
    world: Triggering,
) -> None:
    trigger = await world.make(
        "tell", on=["web_deployed"], filter="target", **NOTE_ON_T1
    )

    refused = await world.admin.patch(
        f"/v1/triggers/{trigger}", {"command": "task create"}
    )
    plain = await world.admin.patch(f"/v1/triggers/{trigger}", {"command": "version"})

    assert "needs title" in refused.error["detail"]
    assert plain.body["rule"]["fixed"] == {}
    assert plain.body["rule"]["filter"] == "target"


async def test_what_happened_before_the_change_is_not_looked_at(
    world: Triggering,
) -> None:
    trigger = await world.make("tell", on=["web_lost"], **NOTE_ON_T1)
    await world.admin.say("event add web_deployed")
    await world.admin.patch(f"/v1/triggers/{trigger}", {"on": ["web_deployed"]})

    await world.settle()

    assert await world.fires(trigger) == []


async def test_whoever_changes_a_trigger_lends_it_their_name(
    world: Triggering,
) -> None:
    dan = world.gateway.person("dan", Role.ADMIN)
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)

    own = await dan.patch(f"/v1/triggers/{trigger}", {"filter": "target"})
    lent = await dan.patch(f"/v1/triggers/{trigger}", {"filter": "", **named("admin")})

    assert (own.body["runs_as"], own.body["created_by"]) == ("dan", "admin")
    assert (lent.body["runs_as"], lent.body["rule"]["filter"]) == ("admin", "")


async def test_a_change_is_confirmed_and_bound_to_what_the_trigger_was(
    world: Triggering,
) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    asked = await world.admin.say(f"trigger set {trigger} --on web_lost")
    await world.admin.patch(f"/v1/triggers/{trigger}", {"filter": "target"})

    late = await world.admin.say(f"confirm {asked.data['token']}")

    assert asked.body["status"] == "needs_confirmation"
    assert late.status == 409


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, "nothing says what is to change"),
        ({"on": ["trigger_fired"]}, "tells of reactions themselves"),
        ({"filter": "details."}, "not a JMESPath expression"),
        ({"command": "nope"}, "is not a command"),
        ({"webhook": "W-9"}, "W-9"),
        ({"on": ["a_b"], "webhook": "W-1"}, "events or for a webhook"),
        ({"as": "nobody"}, "nobody"),
    ],
)
async def test_a_change_to_what_could_not_work_is_refused(
    world: Triggering, given: dict[str, object], reason: str
) -> None:
    await a_hook(world)
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)

    refused = await world.admin.patch(f"/v1/triggers/{trigger}", given)

    assert refused.status in (400, 404, 422), refused
    assert reason in refused.error["detail"]


async def test_a_filter_that_cannot_be_applied_is_no_match_and_is_told_of(
    world: Triggering,
) -> None:
    trigger = await world.make(
        "loud", on=["web_deployed"], filter="details.text > `3`", **NOTE_ON_T1
    )
    other = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    details = {"text": "many"}
    await world.admin.command("event add", event="web_deployed", details=details)
    await world.settle()

    shown = await world.admin.say(f"trigger show {trigger}")
    fires = await world.admin.say(f"trigger fires {trigger}")

    assert await world.fires(trigger) == []
    assert len(await world.fires(other)) == 1
    assert "counted as no match: the expression for filter" in shown.data["fault"]
    assert "counted as no match" in fires.body["summary"]


async def test_the_fault_of_a_look_is_over_with_the_next_that_works(
    world: Triggering,
) -> None:
    trigger = await world.make(
        "loud", on=["web_deployed"], filter="details.text > `3`", **NOTE_ON_T1
    )
    for text in ("many", 4):
        await world.admin.command(
            "event add", event="web_deployed", details={"text": text}
        )
    await world.settle()

    shown = await world.admin.say(f"trigger show {trigger}")

    assert shown.data["fault"] == ""
    assert len(await world.fires(trigger)) == 1


async def test_a_fire_whose_command_needs_others_waits_for_approval(
    world: Triggering,
) -> None:
    world.gateway.person("dan", Role.ADMIN)
    rule = await world.admin.post("/v1/approval-rules", {"command": "task note"})
    assert rule.status < 300, rule
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)

    await world.admin.say("event add web_deployed")
    await world.settle()
    (fire,) = await world.fires(trigger)

    assert fire["outcome"] == "waiting for approval"


async def test_a_fire_whose_template_found_nothing_fails_and_names_it(
    world: Triggering,
) -> None:
    template = "{details.nope} {details.neither}"
    rule = {**NOTE_ON_T1, "templates": {"text": template}}
    trigger = await world.make("tell", on=["web_deployed"], **rule)

    await world.admin.say("event add web_deployed")
    tried = await world.admin.say(f"trigger test {trigger}")
    await world.settle()
    (fire,) = await world.fires(trigger)

    assert (fire["outcome"], await world.notes()) == ("failed", [])
    assert f"{template!r} for text found nothing" in fire["summary"]
    assert f"{template!r} for text found nothing" in tried.data["calls"][0]["problem"]
