"""Webhooks as people make, try, watch and remove them: through the pipeline."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from core.hooks import service as hooks
from core.kernel.envelope import Envelope
from core.kernel.jsons import Json
from core.kernel.principal import Principal, Role
from core.kernel.reply import Reply, ReplyStatus
from tests.integration.webhook.conftest import Deliver, World, settled

ALERTS: Mapping[str, Json] = {
    "name": "alerts",
    "command": "task create",
    "templates": {"title": "Alert {name}"},
    "arguments": {"external_key": "key"},
    "fixed": {"lane": "A"},
}


async def ask(
    world: World, by: Principal, what: str, /, *, is_consent: bool = True, **args: Any
) -> Reply:
    """Send a command in its JSON form, as a resource call does."""
    answer = await world.pipeline.handle(
        Envelope(
            channel="rest",
            sender=by.id,
            command=what,
            args=args,
            credential=by,
            received_at=world.clock.now(),
            assurance=by.assurance,
            is_consent=is_consent,
        )
    )
    return answer.reply


def items(reply: Reply, name: str) -> list[dict[str, Any]]:
    """Read a list out of a reply's data."""
    found = reply.data[name]
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, dict)]


async def make(world: World, by: Principal, /, **changes: Any) -> Reply:
    return await ask(world, by, "webhook create", **{**ALERTS, **changes})


async def test_created_webhook_shows_its_address_and_its_secret(
    world: World, person: Principal
) -> None:
    reply = await make(world, person)

    assert reply.error is None
    assert reply.data["path"] == "/v1/channels/webhook/alerts"
    assert str(reply.data["secret"]).startswith("whsec_")
    assert reply.data["created_by"] == "ann"


async def test_secret_is_shown_by_no_other_command(
    world: World, person: Principal
) -> None:
    secret = str((await make(world, person)).data["secret"])

    others_by_name: dict[str, dict[str, Any]] = {
        "webhook list": {},
        "webhook show": {"webhook": "W-1"},
        "webhook deliveries": {"webhook": "alerts"},
    }
    others = [
        await ask(world, person, name, **args) for name, args in others_by_name.items()
    ]

    assert all(each.error is None for each in others)
    assert secret not in repr(others)
    assert all(secret not in entry["command"] for entry in world.audits())


async def test_line_that_makes_a_webhook_asks_for_consent(
    world: World, person: Principal
) -> None:
    """Its deliveries are consented to here, once."""
    reply = await ask(world, person, "webhook create", is_consent=False, **ALERTS)

    assert reply.status is ReplyStatus.NEEDS_CONFIRMATION


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"command": "task crate"}, "unknown_command"),
        (
            {
                "command": "webhook delete",
                "arguments": {"webhook": "x"},
                "templates": {},
                "fixed": {},
            },
            "not_runnable",
        ),
        (
            {"command": "confirm", "arguments": {}, "templates": {}, "fixed": {}},
            "not_runnable",
        ),
        ({"arguments": {"titel": "x"}}, "unknown_flag"),
        ({"arguments": {"confirm": "x"}}, "unknown_flag"),
        ({"arguments": {"dry_run": "x"}}, "unknown_flag"),
        ({"arguments": {"external_key": "a["}}, "invalid_argument"),
        ({"templates": {"title": "{"}}, "invalid_argument"),
        ({"templates": {"title": "x", "labels": "y"}}, "invalid_argument"),
        ({"templates": {}}, "invalid_argument"),
        ({"name": "W-1"}, "invalid_argument"),
        ({"auth": "none"}, "invalid_argument"),
        ({"arguments": {"external_key": 1}}, "invalid_argument"),
    ],
)
async def test_webhook_that_could_not_work_is_refused(
    world: World, person: Principal, changes: Mapping[str, Any], code: str
) -> None:
    reply = await make(world, person, **changes)

    assert reply.error is not None
    assert reply.error.code == code
    assert reply.error.fix


async def test_nobody_gives_a_webhook_more_than_they_may_do(world: World) -> None:
    bob = world.user("bob", Role.VIEWER)
    maker = replace(bob, scopes=frozenset({"webhooks:write"}))

    reply = await make(world, maker)

    assert reply.error is not None
    assert reply.error.extra["scope"] == "tasks:write"


async def test_operators_make_no_webhooks(world: World) -> None:
    reply = await make(world, world.user("bob", Role.OPERATOR))

    assert reply.error is not None
    assert reply.error.code == "missing_scope"


async def test_payload_can_be_tried_without_effect(
    world: World, person: Principal
) -> None:
    await make(world, person)

    good = await ask(
        world,
        person,
        "webhook test",
        webhook="W-1",
        payload={"name": "disk", "key": "k"},
    )
    bad = await ask(
        world, person, "webhook test", webhook="W-1", payload={"name": "disk", "key": 7}
    )

    assert [each["line"] for each in items(good, "calls")] == [
        'task create "Alert disk" --lane A --external-key k'
    ]
    assert items(bad, "calls")[0]["problem"]
    assert world.tasks() == []


async def test_deliveries_tell_what_became_of_each(
    running: World, person: Principal, deliver: Deliver
) -> None:
    new = running.endpoint(person)
    await deliver(new, {"title": "one"}, message_id="a")
    await deliver(new, {}, message_id="b")
    await settled(running)

    first = await ask(running, person, "webhook deliveries", webhook="W-1", limit=1)
    rest = await ask(
        running, person, "webhook deliveries", webhook="W-1", cursor=first.data["next"]
    )

    shown = [*items(first, "items"), *items(rest, "items")]
    assert [(each["outcome"], each["command"]) for each in shown] == [
        ("failed", ""),
        ("done", "task create one"),
    ]
    assert all(isinstance(each["took_ms"], int) for each in shown)


async def test_delete_wants_the_id_and_then_the_address_is_gone(
    world: World, person: Principal, deliver: Deliver
) -> None:
    new = world.endpoint(person)

    asked = await ask(world, person, "webhook delete", webhook="W-1")
    deleted = await ask(world, person, "webhook delete", webhook="W-1", confirm="W-1")
    response = await deliver(new, {})

    assert asked.status is ReplyStatus.NEEDS_CONFIRMATION
    assert deleted.data["id"] == "W-1"
    assert response.status_code == 404


async def test_rotate_answers_with_another_secret(
    world: World, person: Principal
) -> None:
    """`R-06`."""
    old = await make(world, person)

    new = await ask(world, person, "webhook rotate", webhook="W-1", overlap="2h")

    assert new.data["secret"] != old.data["secret"]
    until = "2026-11-04T11:00:00.000000Z"
    assert new.data["previous_secret_until"] == until


async def test_fixed_value_that_no_delivery_could_use_is_refused_at_once(
    world: World, person: Principal
) -> None:
    reply = await make(world, person, fixed={"lane": "Q"})

    assert reply.error is not None
    assert "lane" in reply.error.detail
    assert not world.db.look(hooks.list_, by=person).items
