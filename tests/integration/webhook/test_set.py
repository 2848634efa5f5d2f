"""Webhooks whose deliveries become something else: other rules, another name."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.hooks import service as hooks
from core.hooks.model import PayloadMap
from core.kernel.principal import Principal, Role, system
from core.kernel.reply import ReplyStatus
from tests.integration.webhook.conftest import Deliver, World, settled
from tests.integration.webhook.test_commands import ask

OTHER: Mapping[str, Any] = {"command": "task create", "arguments": {"title": "name"}}


def rules_of(world: World) -> tuple[PayloadMap, ...]:
    return world.db.look(lambda tx: hooks.get_(tx, "W-1"), by=system()).rules


async def test_deliveries_become_what_the_new_rules_say(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)

    reply = await ask(running, person, "webhook set", webhook="alerts", **OTHER)
    await deliver(new, {"name": "disk"})
    await settled(running)

    assert reply.error is None
    assert [each.title for each in running.tasks()] == ["disk"]


async def test_rules_run_in_the_name_of_who_set_them(
    running: World, person: Principal, deliver: Deliver
) -> None:
    """Nobody has a command run by the rights of somebody else."""
    new = running.endpoint(person)
    bob = running.user("bob", Role.ADMIN)

    reply = await ask(running, bob, "webhook set", webhook="W-1", **OTHER)
    await deliver(new, {"name": "disk"})
    await settled(running)

    assert reply.data["created_by"] == "bob"
    assert [each.created_by for each in running.tasks()] == ["bob"]


async def test_nobody_sets_more_than_they_may_do(
    world: World, person: Principal
) -> None:
    world.endpoint(person, PayloadMap(command="version"))
    bob = replace(world.user("bob", Role.VIEWER), scopes=frozenset({"webhooks:write"}))

    reply = await ask(world, bob, "webhook set", webhook="W-1", **OTHER)

    assert reply.error is not None
    assert reply.error.extra["scope"] == "tasks:write"
    assert rules_of(world) == (PayloadMap(command="version"),)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "invalid_argument"),
        ({"arguments": {"title": "x"}}, "invalid_argument"),
        ({"command": "task crate"}, "unknown_command"),
        (
            {"command": "webhook delete", "fixed": {"webhook": "W-1"}},
            "not_runnable",
        ),
        ({"rules": [{"comand": "version"}]}, "invalid_argument"),
        ({**OTHER, "rules": [{"command": "version"}]}, "invalid_argument"),
        ({**OTHER, "webhook": "W-9"}, "not_found"),
    ],
)
async def test_rules_that_could_not_work_leave_the_old_ones(
    world: World, person: Principal, given: Mapping[str, Any], code: str
) -> None:
    before = world.endpoint(person).endpoint.rules

    reply = await ask(world, person, "webhook set", **{"webhook": "W-1", **given})

    assert reply.error is not None
    assert reply.error.code == code
    assert reply.error.fix
    assert rules_of(world) == before


async def test_webhook_may_come_to_run_nothing(world: World, person: Principal) -> None:
    world.endpoint(person)

    reply = await ask(world, person, "webhook set", webhook="W-1", rules=[])

    assert reply.error is None
    assert rules_of(world) == ()


async def test_consent_is_void_once_the_rules_are_others(
    world: World, person: Principal
) -> None:
    world.endpoint(person)
    asked = {"webhook": "W-1", **OTHER, "is_consent": False}

    proposed = await ask(world, person, "webhook set", **asked)
    await ask(world, person, "webhook set", webhook="W-1", rules=[])
    late = await ask(
        world, person, "webhook set", **asked, confirm=proposed.data["token"]
    )

    assert proposed.status is ReplyStatus.NEEDS_CONFIRMATION
    assert late.error is not None
    assert rules_of(world) == ()
