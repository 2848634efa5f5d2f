"""Tasks named by the key that another system has for them, wherever a task may stand."""

from typing import Any

import pytest

from core.kernel.principal import Principal, Role
from core.kernel.reply import Reply
from tests.integration.webhook.conftest import ACME, World
from tests.integration.webhook.test_commands import ask

KEY = "disk:db-1/é"


async def ensure(world: World, by: Principal, **more: Any) -> Reply:
    return await ask(
        world, by, "task ensure", title="The disk is full", external_key=KEY, **more
    )


async def test_key_names_the_task_and_the_audit_has_its_id(
    world: World, person: Principal
) -> None:
    await ensure(world, person)

    moved = await ask(
        world, person, "task move", task=f"key:{KEY}", status="abandoned", reason="x"
    )

    assert moved.summary == "T-1 queued -> abandoned"
    assert world.audits()[-1]["command"] == "task move T-1 abandoned --reason x"
    assert world.audits()[-1]["target"] == "T-1"


async def test_keys_may_stand_in_a_list_beside_ids(
    world: World, person: Principal
) -> None:
    await ensure(world, person)
    await ask(world, person, "task create", title="Second")

    made = await ask(
        world, person, "task create", title="Third", needs=[f"key:{KEY}", "T-2"]
    )

    assert made.data["needs"] == ["T-1", "T-2"]


@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("task show", {}),
        ("task note", {"text": "hello"}),
        ("task claim", {}),
        ("event tail", {}),
    ],
)
async def test_every_command_about_a_task_takes_a_key(
    world: World, person: Principal, command: str, args: dict[str, Any]
) -> None:
    await ensure(world, person)

    found = await ask(
        world, person, command, is_consent=True, task=f"key:{KEY}", **args
    )

    assert found.error is None


@pytest.mark.parametrize("key", ["unheard-of", "", "k" * 201])
async def test_unknown_key_is_no_task(
    world: World, person: Principal, key: str
) -> None:
    answer = await ask(world, person, "task show", task=f"key:{key}")

    assert answer.error is not None
    assert answer.error.status in (400, 404)
    assert key[:40] in answer.error.detail or "external_key" in answer.error.detail


async def test_key_of_another_tenant_names_nothing(
    world: World, person: Principal
) -> None:
    """`R-59`."""
    await ensure(world, world.user("eve", Role.ADMIN, ACME))

    answer = await ask(world, person, "task show", task=f"key:{KEY}")

    assert answer.error is not None
    assert answer.error.code == "not_found"


async def test_key_means_nothing_where_no_task_is_meant(
    world: World, person: Principal
) -> None:
    await ensure(world, person)

    answer = await ask(world, person, "webhook show", webhook=f"key:{KEY}")

    assert answer.error is not None
    assert "the webhook key:" in answer.error.detail


async def test_each_outcome_is_told_in_words(world: World, person: Principal) -> None:
    """A program reads `happened`, a person the summary."""
    told = [await ensure(world, person), await ensure(world, person)]
    told.append(await withdraw(world, person))
    told.append(await withdraw(world, person))
    told.append(await ensure(world, person))
    await ask(world, person, "task move", task="T-1", status="failed", reason="x")
    told.append(await ensure(world, person))
    told.append(await ensure(world, person, again=True))

    assert [each.summary for each in told] == [
        "Created T-1 in queued",
        "T-1 is there already, queued",
        "T-1 queued -> abandoned",
        "T-1 is abandoned already",
        "T-1 is queued again",
        "T-1 is failed and stays so",
        "T-1 is queued again",
    ]
    assert [each.data.get("happened") for each in told if "happened" in each.data] == [
        "created",
        "there",
        "reopened",
        "over",
        "reopened",
    ]


async def test_letting_go_of_what_is_not_there_is_no_error(
    world: World, person: Principal
) -> None:
    answer = await withdraw(world, person)

    assert answer.error is None
    assert answer.data == {
        "id": "",
        "external_key": KEY,
        "status": "",
        "changed": False,
    }


async def withdraw(world: World, by: Principal) -> Reply:
    return await ask(world, by, "task withdraw", external_key=KEY, reason="resolved")
