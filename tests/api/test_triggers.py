"""Triggers as people use them: events and deliveries that run one fixed command."""

from collections.abc import AsyncIterator

import pytest

from core.audit.model import AuditEntry, Verdict
from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person
from tests.api.triggers import NOTE_ON_T1, Triggering, a_hook, deliver, named

BLOCKED = "details.status=='blocked'"


@pytest.fixture
async def world(gateway: Gateway) -> AsyncIterator[Triggering]:
    """A gateway with a task to write notes on, whose triggers react when told to."""
    world = Triggering(gateway)
    await world.start()
    await world.admin.say("task create one")
    yield world
    await world.stop()


async def said(world: Triggering, line: str) -> None:
    """Have the admin say something, and confirm it if asked to."""
    answer = await world.admin.say(line)
    if answer.status == 409:
        answer = await world.admin.say(answer.data["confirm"])
    assert answer.status == 200, answer


def fires_audited(gateway: Gateway) -> list[AuditEntry]:
    return [each for each in gateway.audits() if each.channel == "trigger"]


# ── what sets one off ─────────────────────────────────────────────────────────
async def test_a_blocked_task_is_noted_on_another_one(world: Triggering) -> None:
    """M-OMN-11: when an event matches, then a fixed command as a named principal."""
    trigger = await world.make(
        "tell", on=["status_changed"], filter=BLOCKED, **NOTE_ON_T1
    )

    await world.admin.say("task create two")
    await world.admin.say("task block T-2 --reason access")
    await world.settle()

    assert await world.notes() == ["T-2: status_changed"]
    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["event"], fire["target"]) == (
        "done",
        "status_changed",
        "T-2",
    )
    assert fire["command"] == 'task note T-1 "T-2: status_changed"'
    shown = await world.admin.get(f"/v1/replies/{fire['id']}")
    assert shown.status == 200


async def test_only_the_named_targets_set_it_off(world: Triggering) -> None:
    await world.make("tell", on=["web_deployed"], target=["web-2"], **NOTE_ON_T1)

    for target in ("web-1", "web-2", "web-3"):
        await world.admin.say(f"event add web_deployed --target {target}")
    await world.settle()

    assert await world.notes() == ["web-2: web_deployed"]


async def test_several_types_and_a_filter(world: Triggering) -> None:
    await world.make(
        "tell",
        on=["web_deployed", "web_failed"],
        filter="details.load > `3`",
        **NOTE_ON_T1,
    )

    for event, load in (("web_deployed", 1), ("web_failed", 5), ("web_lost", 9)):
        await world.admin.command("event add", event=event, details={"load": load})
    await world.settle()

    assert await world.notes() == [": web_failed"]


async def test_a_filter_that_cannot_be_applied_lets_nothing_through(
    world: Triggering,
) -> None:
    trigger = await world.make(
        "tell",
        on=["web_deployed"],
        filter="contains(details.tags, 'prod')",
        **NOTE_ON_T1,
    )

    await world.admin.say("event add web_deployed")
    await world.settle()
    tried = await world.admin.say(f"trigger test {trigger} --last")

    assert await world.fires(trigger) == []
    assert "expression for filter" in tried.data["why"]


async def test_each_runs_the_command_once_per_element_in_one_fire(
    world: Triggering,
) -> None:
    """Every event of a fire names it as its cause, whichever command appended it."""
    trigger = await world.make(
        "split",
        on=["batch_done"],
        each="details.parts",
        command="task create",
        arguments={"title": "@"},
    )

    await world.admin.command(
        "event add", event="batch_done", details={"parts": ["a", "b", "c"]}
    )
    await world.settle()

    assert await world.tasks() == ["one", "a", "b", "c"]
    (fire,) = await world.fires(trigger)
    made = world.events("task_created")[1:]
    assert {each.cause for each in made} == {fire["id"]}


async def test_a_text_of_an_event_never_becomes_a_line(world: Triggering) -> None:
    await world.make(
        "tell",
        on=["web_deployed"],
        command="task note",
        fixed={"task": "T-1"},
        arguments={"text": "details.by"},
    )
    evil = 'x" --task T-9\ntask create evil'

    await world.admin.command("event add", event="web_deployed", details={"by": evil})
    await world.settle()

    assert await world.notes() == [evil]
    assert await world.tasks() == ["one"]


async def test_what_happened_before_it_was_made_sets_nothing_off(
    world: Triggering,
) -> None:
    await world.admin.say("event add web_deployed")
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)

    await world.settle()

    assert await world.fires(trigger) == []


# ── webhooks ──────────────────────────────────────────────────────────────────
async def test_a_delivery_creates_a_task(world: Triggering) -> None:
    """M-OMN-11: a webhook sets a trigger off, which reads the payload itself."""
    hook = await a_hook(world)
    trigger = await world.make(
        "file",
        webhook=hook,
        filter="severity == 'page'",
        command="task create",
        templates={"title": "Alert {name}"},
    )

    await deliver(world, hook, {"name": "disk", "severity": "page"})
    await deliver(world, hook, {"name": "fan", "severity": "info"})

    assert await world.tasks() == ["one", "Alert disk"]
    (fire,) = await world.fires(trigger)
    assert (fire["event"], fire["target"], fire["outcome"]) == (
        "webhook_received",
        hook,
        "done",
    )
    tried = await world.admin.say(
        f"trigger test {trigger} --delivery {fire['delivery']}"
    )
    assert tried.data["calls"][0]["line"] == 'task create "Alert disk"'


async def test_a_trigger_says_that_its_webhook_is_gone(world: Triggering) -> None:
    hook = await a_hook(world)
    trigger = await world.make("file", webhook=hook, command="version")

    await world.admin.say(f"webhook delete {hook} --confirm {hook}")
    shown = await world.admin.say(f"trigger show {trigger}")

    assert shown.data["obstacle"] == (
        f"{hook} was deleted, so nothing sets it off any more"
    )


# ── what goes wrong ───────────────────────────────────────────────────────────
async def test_a_mapping_that_finds_nothing_is_a_failed_fire(
    world: Triggering,
) -> None:
    trigger = await world.make(
        "tell",
        on=["web_deployed"],
        command="task note",
        fixed={"task": "T-1"},
        arguments={"text": "details.author.name"},
    )

    await world.admin.command(
        "event add", event="web_deployed", details={"by": "z" * 5000}
    )
    await world.settle()

    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["code"]) == ("failed", "invalid_argument")
    reply = (await world.admin.get(f"/v1/replies/{fire['id']}")).body
    told = reply["error"]
    assert "'details.author.name' for text found nothing" in told["detail"]
    assert told["extra"]["expression"] == "details.author.name"
    assert len(told["extra"]["sample"]) < 2_500
    assert f"trigger test {trigger} --last" in told["fix"]


async def test_a_refused_command_is_a_failed_fire(world: Triggering) -> None:
    trigger = await world.make(
        "tell", on=["web_deployed"], command="task note",
        fixed={"task": "T-77", "text": "hello"},
    )  # fmt: skip

    await world.admin.say("event add web_deployed")
    await world.settle()

    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["code"]) == ("failed", "not_found")
    told = world.events("trigger_fired")
    assert [each.details["outcome"] for each in told] == ["failed"]


# ── in whose name ─────────────────────────────────────────────────────────────
async def test_it_runs_in_the_name_of_who_was_named(
    world: Triggering, bob: Person
) -> None:
    """M-OMN-11: an admin names another user, who may do no more than both of them."""
    await world.make(
        "file", on=["web_deployed"], command="task create",
        fixed={"title": "look"}, **named("bob"),
    )  # fmt: skip

    await world.admin.say("event add web_deployed")
    await world.settle()

    assert [each.actor for each in world.events("task_created")] == ["admin", "bob"]
    last = fires_audited(world.gateway)[-1]
    assert (last.actor, last.action, last.verdict) == (
        "bob",
        "task create",
        Verdict.ALLOWED,
    )


async def test_nobody_is_named_who_may_not_run_the_command(world: Triggering) -> None:
    world.gateway.person("carol", Role.VIEWER)

    answer = await world.refused(
        "file", on=["web_deployed"], command="task create",
        fixed={"title": "look"}, **named("carol"),
    )  # fmt: skip

    assert (answer.status, answer.error["scope"]) == (403, "tasks:write")


async def test_only_who_manages_people_names_another(
    world: Triggering, bob: Person
) -> None:
    narrow = world.gateway.person(
        "dan", Role.ADMIN, scopes=("triggers:write", "tasks:write")
    )

    answer = await world.refused(
        "file", by=narrow, on=["web_deployed"], command="task create",
        fixed={"title": "look"}, **named("bob"),
    )  # fmt: skip

    assert (answer.status, answer.error["scope"]) == (403, "users:write")


async def test_a_narrow_key_makes_a_narrow_trigger(world: Triggering) -> None:
    """What it may do is what its maker could then, not what they may do elsewhere."""
    narrow = world.gateway.person(
        "dan", Role.ADMIN, scopes=("triggers:*", "tasks:write", "events:read")
    )

    refused = await world.refused(
        "wide", by=narrow, on=["web_deployed"], command="event add",
        fixed={"event": "x_done"},
    )  # fmt: skip
    made = await world.make(
        "narrow", by=narrow, on=["web_deployed"], command="task create",
        fixed={"title": "look"},
    )  # fmt: skip
    await world.admin.say("event add web_deployed")
    await world.settle()

    assert refused.error["scope"] == "events:write"
    assert (await world.fires(made))[0]["outcome"] == "done"


async def test_an_owner_who_was_disabled_runs_nothing(
    world: Triggering, bob: Person
) -> None:
    """Every run is authorised anew; the trigger says why nothing comes of it."""
    trigger = await world.make(
        "file", on=["web_deployed"], command="task create",
        fixed={"title": "look"}, **named("bob"),
    )  # fmt: skip
    await said(world, "user disable bob")

    await world.admin.say("event add web_deployed")
    await world.settle()
    shown = await world.admin.say(f"trigger show {trigger}")

    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["code"]) == ("failed", "forbidden")
    assert "bob, in whose name" in shown.data["obstacle"]
    denied = fires_audited(world.gateway)[-1]
    assert (denied.actor, denied.action, denied.verdict) == (
        "bob",
        "task create",
        Verdict.DENIED,
    )
    assert await world.tasks() == ["one"]


async def test_an_owner_who_lost_the_scope_is_denied(
    world: Triggering, bob: Person
) -> None:
    trigger = await world.make(
        "file", on=["web_deployed"], command="task create",
        fixed={"title": "look"}, **named("bob"),
    )  # fmt: skip
    await said(world, "user set bob --roles viewer")

    await world.admin.say("event add web_deployed")
    await world.settle()
    shown = await world.admin.say(f"trigger show {trigger}")

    (fire,) = await world.fires(trigger)
    assert (fire["outcome"], fire["code"]) == ("failed", "missing_scope")
    assert shown.data["obstacle"] == "bob lacks the scope tasks:write"
    denied = fires_audited(world.gateway)[-1]
    assert (denied.actor, denied.verdict) == ("bob", Verdict.DENIED)


async def test_who_may_not_read_events_is_told_none_by_a_trigger(
    world: Triggering,
) -> None:
    """Else a key that only makes triggers and tasks could read every event."""
    narrow = world.gateway.person(
        "dan", Role.ADMIN, scopes=("triggers:write", "tasks:write")
    )

    for what, scope in (
        ({"on": ["key_created"]}, "events:read"),
        ({"webhook": await a_hook(world)}, "webhooks:read"),
    ):
        answer = await world.refused(
            "spy", by=narrow, command="task create",
            templates={"title": "{details}"}, **what,
        )  # fmt: skip
        assert (answer.status, answer.error["scope"]) == (403, scope)


# ── switched off ──────────────────────────────────────────────────────────────
async def test_a_disabled_trigger_reacts_to_nothing(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say(f'trigger disable {trigger} --reason "too noisy"')

    await world.admin.say("event add web_deployed")
    await world.settle()
    shown = await world.admin.say(f"trigger show {trigger}")
    await world.admin.say(f"trigger enable {trigger}")
    await world.admin.say("event add web_deployed --target web-2")
    await world.settle()

    assert shown.data["obstacle"] == "it is disabled: too noisy"
    assert await world.notes() == ["web-2: web_deployed"]


async def test_what_it_set_off_and_has_not_run_is_skipped(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say("event add web_deployed")
    await world.react()

    await world.admin.say(f"trigger disable {trigger}")
    await world.settle()

    (fire,) = await world.fires(trigger)
    assert fire["outcome"] == "skipped"
    assert await world.notes() == []


async def test_a_deleted_trigger_runs_nothing(world: Triggering) -> None:
    trigger = await world.make("tell", on=["web_deployed"], **NOTE_ON_T1)
    await world.admin.say("event add web_deployed")
    await world.react()

    await world.admin.say(f"trigger delete {trigger} --confirm {trigger}")
    await world.settle()

    assert await world.notes() == []
    assert (await world.admin.say(f"trigger show {trigger}")).status == 404
