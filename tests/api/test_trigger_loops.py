"""Triggers that set each other off come to rest, and who looks is told why."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from core.audit.model import Verdict
from core.hooks.triggers.model import MOST_FIRES
from tests.api.channels import Writer, delivered
from tests.api.gateway import Gateway
from tests.api.triggers import Triggering, named


@pytest.fixture
async def world(gateway: Gateway) -> AsyncIterator[Triggering]:
    world = Triggering(gateway)
    await world.start()
    yield world
    await world.stop()


async def link(world: Triggering, name: str, on: str, then: str) -> str:
    """Make a trigger that answers one event with another."""
    return await world.make(name, on=[on], command="event add", fixed={"event": then})


async def test_two_triggers_that_set_each_other_off_are_cut(world: Triggering) -> None:
    """M-OMN-11: the third link is the first trigger again, and does not run."""
    await link(world, "ping", "ping_sent", "pong_sent")
    await link(world, "pong", "pong_sent", "ping_sent")

    await world.admin.say("event add ping_sent")
    await world.settle()

    assert len(world.events("ping_sent")) == 2
    assert len(world.events("pong_sent")) == 1
    fires = await world.fires("G-1")
    assert [(each["outcome"], each["chain"]) for each in fires] == [
        ("cut", ["G-1", "G-2"]),
        ("done", []),
    ]
    (told,) = world.events("trigger_cut")
    assert (told.target, told.details["chain"]) == ("G-1", "G-1 > G-2 > G-1")


async def test_a_cut_is_seen_in_the_audit(world: Triggering) -> None:
    await link(world, "echo", "ping_sent", "ping_sent")

    await world.admin.say("event add ping_sent")
    await world.settle()
    listed = await world.admin.say("audit list --action 'trigger fire'")

    (entry,) = listed.data["items"]
    assert (entry["target"], entry["verdict"]) == ("G-1", Verdict.DENIED)
    assert entry["reason"] == "a loop of triggers: G-1 > G-1"
    assert entry["actor"] == "admin"
    assert world.gateway.is_intact()


async def test_why_a_fire_was_cut_is_told(world: Triggering) -> None:
    await link(world, "echo", "ping_sent", "ping_sent")
    await world.admin.say("event add ping_sent")
    await world.settle()
    cut = (await world.fires("G-1"))[0]

    told = await world.admin.say(f"why {cut['id']}")

    assert (told.data["rule"], told.data["detail"]) == (
        "limit",
        "a loop of triggers: G-1 > G-1",
    )


async def test_a_chain_ends_after_five(world: Triggering) -> None:
    for number in range(1, 8):
        await link(world, f"t{number}", f"n{number}_came", f"n{number + 1}_came")

    await world.admin.say("event add n1_came")
    await world.settle()

    assert len(world.events("n6_came")) == 1
    assert world.events("n7_came") == []
    (fire,) = await world.fires("G-6")
    assert fire["cut"].startswith("a chain of more than 5 triggers: G-1 > G-2")


async def test_ways_that_part_and_meet_again_are_no_loop(world: Triggering) -> None:
    """A trigger may fire twice for one cause, if neither way has it twice."""
    await link(world, "left", "ping_sent", "pong_sent")
    await link(world, "right", "ping_sent", "pong_sent")
    await link(world, "end", "pong_sent", "end_reached")

    await world.admin.say("event add ping_sent")
    await world.settle()

    assert len(world.events("end_reached")) == 2
    assert world.events("trigger_cut") == []
    chains = sorted(each["chain"] for each in await world.fires("G-3"))
    assert chains == [["G-1"], ["G-2"]]


async def test_several_commands_of_one_fire_are_one_link(world: Triggering) -> None:
    await world.make(
        "split", on=["batch_done"], each="details.parts",
        command="event add", arguments={"event": "@"},
    )  # fmt: skip
    await link(world, "back", "ping_sent", "batch_done")

    await world.admin.command(
        "event add", event="batch_done",
        details={"parts": ["ping_sent", "ping_sent", "ping_sent"]},
    )  # fmt: skip
    await world.settle()

    assert len(await world.fires("G-2")) == 3
    assert len(world.events("trigger_cut")) == 3


async def test_what_a_person_does_next_begins_a_chain_of_its_own(
    world: Triggering,
) -> None:
    await link(world, "ping", "ping_sent", "pong_sent")
    for _ in range(3):
        await world.admin.say("event add ping_sent")
        await world.settle()

    assert [each["chain"] for each in await world.fires("G-1")] == [[], [], []]


# ── too often ─────────────────────────────────────────────────────────────────
async def storm(world: Triggering, count: int) -> None:
    for _ in range(count):
        await world.admin.say("event add ping_sent")
    await world.settle()


async def test_a_trigger_that_fires_too_often_is_disabled(world: Triggering) -> None:
    trigger = await link(world, "ping", "ping_sent", "pong_sent")

    await storm(world, MOST_FIRES + 5)
    shown = await world.admin.say(f"trigger show {trigger}")

    why = "more than 60 fires within a minute"
    assert (shown.data["state"], shown.data["reason"]) == ("disabled", why)
    assert [each.details["reason"] for each in world.events("trigger_disabled")] == [
        why
    ]
    newest = (await world.fires(trigger))[0]
    assert (newest["outcome"], newest["cut"]) == ("cut", why)
    listed = await world.admin.say("audit list --action 'trigger fire'")
    assert [each["reason"] for each in listed.data["items"]] == [why]


async def test_a_minute_later_it_may_fire_again(world: Triggering) -> None:
    trigger = await link(world, "ping", "ping_sent", "pong_sent")

    await storm(world, MOST_FIRES)
    world.gateway.clock.advance(timedelta(seconds=61))
    await storm(world, MOST_FIRES)
    shown = await world.admin.say(f"trigger show {trigger}")

    assert shown.data["state"] == "enabled"
    assert len(world.events("pong_sent")) == 2 * MOST_FIRES


async def test_those_it_concerns_are_told_at_their_accounts(
    world: Triggering,
) -> None:
    """Whoever made it, and in whose name it ran."""
    for name, sender in (("ann", "U0ANN"), ("bob", "U0BOB")):
        world.gateway.person(name)
        Writer(world.gateway, "slack", sender).link_to(name)
    Writer(world.gateway, "email", "admin@example.org").link_to("admin")
    await world.make(
        "ping", on=["ping_sent"], command="event add",
        fixed={"event": "pong_sent"}, **named("ann"),
    )  # fmt: skip

    await storm(world, MOST_FIRES + 2)

    (told,) = delivered(world.gateway, {"user": "U0ANN"})
    assert told["summary"] == (
        "G-1 (ping) was disabled: more than 60 fires within a minute"
    )
    assert len(delivered(world.gateway, {"to": "admin@example.org"})) == 1
    assert delivered(world.gateway, {"user": "U0BOB"}) == []


async def test_disabled_by_hand_nobody_is_told(world: Triggering) -> None:
    Writer(world.gateway, "email", "admin@example.org").link_to("admin")
    trigger = await link(world, "ping", "ping_sent", "pong_sent")

    await world.admin.say(f"trigger disable {trigger}")
    await world.settle()

    assert delivered(world.gateway, {"to": "admin@example.org"}) == []
