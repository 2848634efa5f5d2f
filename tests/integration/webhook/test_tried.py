"""Payloads tried on a webhook's rules, and on rules that nobody has saved."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.hooks import service as hooks
from core.hooks.model import PayloadMap
from core.kernel.principal import Principal, Role, system
from core.kernel.reply import Reply
from tests.integration.webhook.conftest import Deliver, World, settled
from tests.integration.webhook.test_commands import ask, items

FIRING = PayloadMap(
    command="task create",
    filter="status == 'firing'",
    each="alerts",
    arguments={"title": "name"},
)
ALERTS = {"status": "firing", "alerts": [{"name": "disk"}, {"name": "cpu"}]}


async def tried(world: World, by: Principal, **how: Any) -> Reply:
    return await ask(world, by, "webhook test", webhook="W-1", **how)


async def test_each_rule_says_how_far_it_got(world: World, person: Principal) -> None:
    world.endpoint(person, FIRING)

    reply = await tried(world, person, payload=ALERTS)

    (rule,) = items(reply, "rules")
    assert reply.summary == "Would run 2 commands"
    assert (rule["filter"], rule["each_count"]) == ("matched", 2)
    assert [each["line"] for each in rule["calls"]] == [
        "task create disk",
        "task create cpu",
    ]
    assert world.tasks() == []


async def test_expression_that_finds_nothing_is_named(
    world: World, person: Principal
) -> None:
    """The delivery itself would end with the same words."""
    world.endpoint(person, FIRING)

    reply = await tried(
        world, person, payload={"status": "firing", "alerts": [{"title": "x"}]}
    )

    (call,) = items(reply, "calls")
    assert call["line"] == ""
    assert "'name' for title found nothing" in call["problem"]


async def test_filter_that_does_not_match_is_told(
    world: World, person: Principal
) -> None:
    world.endpoint(person, FIRING)

    reply = await tried(world, person, payload={"status": "resolved"})

    assert reply.data["skipped"] == "the filter did not match"
    assert items(reply, "rules")[0]["filter"] == "did not match"


async def test_stored_delivery_can_be_tried_on_other_expressions(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """Nothing is run, and the webhook keeps its rule."""
    new = running.endpoint(person, FIRING)
    receipt = await deliver(new, {"status": "firing", "alerts": [{"title": "x"}]})
    await settled(running)

    reply = await tried(
        running,
        person,
        delivery=receipt.json()["request_id"],
        arguments={"title": "title"},
    )

    assert [each["line"] for each in items(reply, "calls")] == ["task create x"]
    assert running.tasks() == []
    kept = running.db.look(lambda tx: hooks.get_(tx, "W-1"), by=system())
    assert kept.rules == (FIRING,)


async def test_whole_other_rules_can_be_tried(world: World, person: Principal) -> None:
    world.endpoint(person, FIRING)
    rules = [
        {"command": "task.create", "templates": {"title": "{status}!"}},
        {"command": "version", "filter": "missing"},
    ]

    reply = await tried(world, person, payload=ALERTS, rules=rules)

    first, second = items(reply, "rules")
    assert first["calls"][0]["line"] == 'task create "firing!"'
    assert second["skipped"] == "the filter did not match"


async def test_rule_that_could_not_be_saved_says_why(world: World) -> None:
    ann = world.user("ann", Role.ADMIN)
    world.endpoint(ann, FIRING)
    scopes = frozenset({"webhooks:read", "webhooks:write"})
    bob = replace(world.user("bob", Role.VIEWER), scopes=scopes)

    reply = await tried(world, bob, payload=ALERTS, command="task.create")
    gone = await tried(world, ann, payload=ALERTS, command="webhook delete")

    assert "tasks:write" in items(reply, "rules")[0]["problem"]
    assert "cannot be taken back" in items(gone, "rules")[0]["problem"]
    assert gone.summary.startswith("Would fail")


@pytest.mark.parametrize(
    "how",
    [
        {"rules": [{"command": "version", "filter": "status"}]},
        {"arguments": {"title": "to_string(@)"}},
        {"filter": "status"},
    ],
)
async def test_rules_of_ones_own_are_for_those_who_may_save_them(
    world: World, person: Principal, how: dict[str, Any]
) -> None:
    """Whoever may read tries what is saved; expressions cost work and show payloads."""
    world.endpoint(person, FIRING)
    vic = world.user("vic", Role.VIEWER)

    saved = await tried(world, vic, payload=ALERTS)
    own = await tried(world, vic, payload=ALERTS, **how)

    assert saved.error is None
    assert own.error is not None
    assert own.error.code == "missing_scope"
    assert "webhooks:write" in own.error.detail


async def test_rules_that_are_tried_share_one_budget(
    world: World, person: Principal
) -> None:
    world.endpoint(person, FIRING)
    heavy = {"command": "version", "filter": "length(map(&to_string(@),big))"}

    reply = await tried(world, person, payload={"big": [1] * 20_000}, rules=[heavy] * 8)

    found = [each["filter"] for each in items(reply, "rules")]
    assert found[0] == "matched"
    assert found[-1] == "cannot be applied"


async def test_webhook_without_rules_only_shows(
    world: World, person: Principal
) -> None:
    world.endpoint(person)
    await ask(world, person, "webhook set", webhook="W-1", rules=[])

    reply = await tried(world, person, payload=ALERTS)

    assert reply.data["skipped"] == "this webhook only shows what it receives"


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"payload": 1, "delivery": "rq_1"},
        {"payload": 1, "sample": "github"},
        {"payload": 1, "rules": [{"command": "version", "fliter": "x"}]},
        {"payload": 1, "rules": [{"filter": "x"}]},
        {"payload": 1, "rules": [{"command": "version"}], "filter": "x"},
    ],
)
async def test_try_that_cannot_be_meant_is_refused_with_a_fix(
    world: World, person: Principal, how: Mapping[str, Any]
) -> None:
    world.endpoint(person, FIRING)

    reply = await tried(world, person, **how)

    assert reply.error is not None
    assert reply.error.code == "invalid_argument"
    assert reply.error.fix


async def test_part_of_a_rule_needs_to_say_which(
    world: World, person: Principal
) -> None:
    world.endpoint(person, FIRING)
    await ask(
        world, person, "webhook set", webhook="W-1",
        rules=[{"command": "version"}, {"command": "whoami"}],
    )  # fmt: skip

    vague = await tried(world, person, payload=ALERTS, filter="status")
    clear = await tried(
        world, person, payload=ALERTS, filter="status", command="version"
    )

    assert vague.error is not None
    assert "2 rules" in vague.error.detail
    assert [each["line"] for each in items(clear, "calls")] == ["version"]
