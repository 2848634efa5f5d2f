"""Triggers tried beforehand, refused when they could not work, and left behind."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core.delivery import retention
from core.delivery.retention import Expired
from core.kernel.principal import Role, system
from tests.api.gateway import Gateway
from tests.api.triggers import NOTE_ON_T1, Triggering, a_hook, deliver


@pytest.fixture
async def world(gateway: Gateway) -> AsyncIterator[Triggering]:
    """A gateway with a task to write notes on, whose triggers react when told to."""
    world = Triggering(gateway)
    await world.start()
    await world.admin.say("task create one")
    yield world
    await world.stop()


# ── looked at before ──────────────────────────────────────────────────────────
async def test_a_past_event_shows_what_it_would_run_and_changes_nothing(
    world: Triggering,
) -> None:
    await world.admin.say("event add web_deployed --target web-1")
    seq = world.newest
    await world.admin.say("event add web_lost")
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    before = world.gateway.rows()

    found = await world.admin.say(f"trigger test {trigger} --event {seq}")
    last = await world.admin.say(f"trigger test {trigger}")
    other = await world.admin.say(f"trigger test {trigger} --event {seq + 1}")
    none = await world.admin.say(f"trigger test {trigger} --event 9999")

    assert found.data["matches"]
    assert [each["line"] for each in found.data["calls"]] == [
        'task note T-1 "web-1: web_deployed"'
    ]
    assert last.data == found.data
    assert (other.data["matches"], other.data["why"]) == (
        False,
        "web_lost is not web_deployed",
    )
    assert none.status == 404
    assert world.gateway.rows() == before


async def test_a_payload_of_ones_own_can_be_tried(world: Triggering) -> None:
    trigger = await world.make(
        "tell", on=["web_deployed"], filter="details.load > `3`", **NOTE_ON_T1
    )

    high = await world.admin.command(
        "trigger test", trigger=trigger, payload={"event": "x", "details": {"load": 4}}
    )
    low = await world.admin.command(
        "trigger test", trigger=trigger, payload={"details": {"load": 2}}
    )
    both = await world.admin.command(
        "trigger test", trigger=trigger, payload={}, last=True
    )

    assert high.data["calls"][0]["line"] == 'task note T-1 ": x"'
    assert low.data["why"] == "the filter did not match"
    assert both.status == 400


async def test_nobody_is_shown_an_event_that_they_may_not_read(
    world: Triggering,
) -> None:
    await world.admin.say("event add web_deployed")
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    narrow = world.gateway.person("dan", Role.ADMIN, scopes=("triggers:read",))

    answer = await narrow.say(f"trigger test {trigger} --last")

    assert answer.status == 403
    assert answer.error["detail"] == "dan lacks the scope events:read"


async def test_a_webhook_trigger_is_tried_on_what_its_webhook_got(
    world: Triggering,
) -> None:
    hook = await a_hook(world)
    other = await world.admin.post(
        "/v1/webhooks", {"name": "other", "command": "version", "auth": "key"}
    )
    trigger = await world.make(
        "file", webhook=hook, command="task create", templates={"title": "{name}"}
    )
    line = f"trigger test {trigger}"

    before = await world.admin.say(line)
    await deliver(world, str(other.body["id"]), {"name": "fan"})
    await deliver(world, hook, {"name": "disk"})
    last = await world.admin.say(line)
    told = world.events("webhook_received")
    seq = await world.admin.say(f"{line} --event {told[1].seq}")
    theirs = await world.admin.say(f"{line} --delivery {told[0].details['delivery']}")
    nobodys = await world.admin.say(f"{line} --delivery rq_{'0' * 26}")

    assert (before.status, nobodys.status) == (404, 404)
    assert last.data["calls"][0]["line"] == "task create disk"
    assert seq.data == last.data
    assert theirs.data["why"] == (
        f"a delivery to {other.body['id']} is not a delivery to {hook}"
    )


# ── what is gone ──────────────────────────────────────────────────────────────
async def test_a_trigger_says_that_its_command_is_gone(world: Triggering) -> None:
    """As when the plugin that brought it was removed."""
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say("event add web_deployed")
    world.gateway.graph.registry.remove("task note")

    await world.settle()
    shown = await world.admin.say(f"trigger show {trigger}")
    enabled = await world.admin.say(f"trigger enable {trigger}")

    assert shown.data["obstacle"] == "there is no command task note any more"
    assert enabled.status == 400
    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["code"]) == ("failed", "unknown_command")


async def test_a_fire_whose_answer_was_forgotten_is_still_listed(
    world: Triggering,
) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say("event add web_deployed")
    await world.settle()
    (before,) = await world.fires(trigger)

    old = Expired(
        messages=[("trigger", trigger, "U-1", str(before["seq"]))], deliveries=[]
    )
    world.gateway.graph.db.run(lambda tx: retention.forget(tx, old), by=system())
    (after,) = await world.fires(trigger)

    assert (before["outcome"], after["outcome"]) == ("done", "forgotten")
    assert after["id"] == before["id"]


async def test_fires_are_listed_page_by_page(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    for number in range(5):
        await world.admin.say(f"event add web_deployed --target n{number}")
    await world.settle()

    first = await world.admin.say(f"trigger fires {trigger} --limit 3")
    rest = await world.admin.say(
        f"trigger fires {trigger} --limit 3 --cursor {first.data['next']}"
    )

    seen = [each["target"] for each in (*first.data["items"], *rest.data["items"])]
    assert seen == ["n4", "n3", "n2", "n1", "n0"]
    assert rest.data["next"] is None


async def test_who_may_not_run_its_command_cannot_enable_it(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say(f"trigger disable {trigger}")
    narrow = world.gateway.person("dan", Role.ADMIN, scopes=("triggers:*",))

    answer = await narrow.say(f"trigger enable {trigger}")

    assert answer.status == 403
    assert answer.error["detail"] == "dan lacks the scope tasks:write"


# ── what is refused when it is made ───────────────────────────────────────────
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"command": "version"}, "waits for events or for a webhook"),
        (
            {"command": "version", "on": ["a_b"], "webhook": "W-1"},
            "waits for events or for a webhook",
        ),
        ({"command": "version", "on": ["Task Created"]}, "'Task Created' is no type"),
        (
            {"command": "version", "on": ["trigger_cut"]},
            "trigger_cut tells of reactions themselves",
        ),
        (
            {"command": "task delete", "on": ["a_b"]},
            "'task delete' is not a command",
        ),
        (
            {"command": "webhook delete", "on": ["a_b"], "fixed": {"webhook": "W-1"}},
            "no trigger may run it",
        ),
        ({"command": "undo", "on": ["a_b"]}, "a trigger cannot foresee"),
        (
            {"command": "trigger enable", "on": ["a_b"], "fixed": {"trigger": "G-1"}},
            "for a person to decide, so no trigger may run it",
        ),
        (
            {"command": "webhook send", "on": ["a_b"], "fixed": {"webhook": "W-1"}},
            "for a person to decide, so no trigger may run it",
        ),
        (
            {"command": "key create", "on": ["a_b"], "fixed": {"name": "x"}},
            "key create tells a secret",
        ),
        ({"command": "task note", "on": ["a_b"]}, "task note needs task"),
        (
            {"command": "version", "on": ["a_b"], "filter": "]"},
            "']' for filter is not a JMESPath expression",
        ),
        ({"command": "version", "webhook": "W-9"}, "the webhook W-9"),
        ({"command": "version", "on": ["a_b"], "as": "eve"}, "the user eve"),
    ],
)
async def test_what_could_never_work_is_refused(
    world: Triggering, body: dict[str, Any], said: str
) -> None:
    answer = await world.refused("tell", **body)

    assert 400 <= answer.status < 500
    assert said in answer.error["detail"]
    assert answer.error["fix"]


async def test_a_name_is_taken_once(world: Triggering) -> None:
    await world.make("tell", on=["web_deployed"], command="version")

    again = await world.refused("tell", on=["web_lost"], command="version")
    odd = await world.refused("G-3", on=["web_lost"], command="version")

    assert (again.status, odd.status) == (409, 422)


async def test_a_type_that_was_never_seen_is_pointed_at(world: Triggering) -> None:
    """It may be misspelt, or simply not have happened yet."""
    await world.admin.say("event add web_deployed")
    body = {
        "on": ["status_changed", "web_deployed", "task_craeted"],
        "command": "version",
    }

    made = await world.admin.command("trigger create", name="tell", **body)
    done = await world.admin.say(f"confirm {made.data['token']}")

    said = [each["md"] for each in done.body["blocks"] if each["t"] == "text"]
    assert said == [
        (
            "No event `task_craeted` so far; did you mean `task_created`? "
            "`event tail` shows what happens."
        )
    ]


async def test_as_a_line_it_is_confirmed_once(world: Triggering) -> None:
    line = (
        "trigger create tell --on web_deployed,web_lost --command 'task note' "
        '--fixed {"task":"T-1"} --templates {"text":"{event}"} --as admin'
    )

    asked = await world.admin.say(line)
    done = await world.admin.say(f"confirm {asked.data['token']}")
    listed = await world.admin.say("trigger list")

    assert asked.status == 409
    assert done.data["on"] == ["web_deployed", "web_lost"]
    assert [each["name"] for each in listed.data["items"]] == ["tell"]
