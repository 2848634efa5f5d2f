"""Endpoints for senders that are known by name, and endpoints with several rules."""

from typing import Any

import pytest

from commands.shown_once import MASK
from core.hooks import mapping
from core.hooks import service as hooks
from core.hooks.model import HookAuth
from core.hooks.presets import PRESETS, PresetName
from core.kernel.principal import Principal, system
from core.kernel.reply import Reply, ReplyStatus
from tests.integration.webhook.conftest import World
from tests.integration.webhook.test_commands import ask

DUMMY = "changeme"
LONG = "0a1b-c3d" * 26
CHOSEN = "It's a Secret to Everybody"  # pragma: allowlist secret


async def create(world: World, by: Principal, /, **args: Any) -> Reply:
    return await ask(world, by, "webhook create", **{"name": "shop", **args})


@pytest.mark.parametrize("preset", PresetName)
async def test_preset_sets_the_proof_and_the_rules(
    world: World, person: Principal, preset: PresetName
) -> None:
    """Each of its rules is one that its maker may have run."""
    reply = await create(world, person, preset=preset.value)

    made = world.db.look(lambda tx: hooks.get_(tx, "shop"), by=system())
    assert reply.error is None
    assert made.auth is PRESETS[preset].auth
    assert made.rules == PRESETS[preset].rules
    assert bool(reply.data["secret"]) is (made.auth is not HookAuth.KEY)


@pytest.mark.parametrize("preset", PresetName)
def test_sample_of_a_preset_becomes_commands(preset: PresetName) -> None:
    chosen = PRESETS[preset]

    calls = mapping.extract_calls(chosen.rules, chosen.sample)

    assert not isinstance(calls, mapping.Skipped)
    for each in calls:
        mapping.require_found(each, ["title", "external_key"], webhook="W-1")


@pytest.mark.parametrize("preset", PresetName)
@pytest.mark.parametrize("payload", [{}, [], None, "text", 1, {"type": 1}, {"a": []}])
def test_news_that_a_preset_does_not_know_is_skipped(
    preset: PresetName, payload: Any
) -> None:
    found = mapping.extract_calls(PRESETS[preset].rules, payload)

    assert isinstance(found, mapping.Skipped)


ISSUE = {
    "html_url": "https://git.x.example/acme/shop/issues/4",
    "number": 4,
    "title": "Late parcels",
}
SHOP = {"full_name": "acme/shop", "default_branch": "main"}
RUN = {"workflow_id": 9, "name": "CI", "head_branch": "main"}
LAB = {"id": 17, "path_with_namespace": "acme/shop", "default_branch": "main"}
LAB_ISSUE = {"iid": 4, "title": "Late parcels", "url": "https://lab.x.example/4"}


@pytest.mark.parametrize(
    ("preset", "payload", "command", "args"),
    [
        (
            "github",
            {"action": "opened", "issue": ISSUE, "repository": SHOP},
            "task ensure",
            {"title": "acme/shop#4: Late parcels", "external_key": ISSUE["html_url"]},
        ),
        (
            "github",
            {"action": "closed", "issue": ISSUE, "repository": SHOP},
            "task withdraw",
            {"external_key": ISSUE["html_url"], "reason": "closed on GitHub"},
        ),
        (
            "github",
            {
                "action": "completed",
                "workflow_run": {**RUN, "conclusion": "failure"},
                "repository": SHOP,
            },
            "task ensure",
            {"title": "acme/shop: CI fails on main", "external_key": "workflow:9:main"},
        ),
        (
            "github",
            {
                "action": "completed",
                "workflow_run": {**RUN, "conclusion": "success"},
                "repository": SHOP,
            },
            "task withdraw",
            {"external_key": "workflow:9:main"},
        ),
        (
            "gitlab",
            {
                "object_kind": "issue",
                "project": LAB,
                "object_attributes": {**LAB_ISSUE, "action": "reopen"},
            },
            "task ensure",
            {"title": "acme/shop#4: Late parcels", "external_key": LAB_ISSUE["url"]},
        ),
        (
            "gitlab",
            {
                "object_kind": "issue",
                "project": LAB,
                "object_attributes": {**LAB_ISSUE, "action": "close"},
            },
            "task withdraw",
            {"external_key": LAB_ISSUE["url"]},
        ),
        (
            "gitlab",
            {
                "object_kind": "pipeline",
                "project": LAB,
                "object_attributes": {"status": "failed", "ref": "main"},
            },
            "task ensure",
            {"external_key": "pipeline:17:main"},
        ),
        (
            "gitlab",
            {
                "object_kind": "pipeline",
                "project": LAB,
                "object_attributes": {"status": "success", "ref": "main"},
            },
            "task withdraw",
            {"external_key": "pipeline:17:main"},
        ),
        (
            "stripe",
            {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}},
            "task withdraw",
            {"external_key": "pi_1", "reason": "paid"},
        ),
        (
            "slack",
            {"event_id": "Ev1", "event": {"text": "Call back", "user": "U1"}},
            "task ensure",
            {"title": "Call back", "external_key": "Ev1", "body": "From U1"},
        ),
    ],
)
def test_news_becomes_the_command_that_its_sender_stands_for(
    preset: str, payload: Any, command: str, args: dict[str, Any]
) -> None:
    calls = mapping.extract_all(PRESETS[PresetName(preset)].rules, payload)

    assert isinstance(calls, list)
    ((name, found),) = calls
    assert name == command
    assert args.items() <= found.items()


@pytest.mark.parametrize(
    ("preset", "payload"),
    [
        (
            "github",
            {"action": "opened", "issue": {**ISSUE, "pull_request": {"url": "x"}}},
        ),
        ("github", {"action": "opened", "issue": ISSUE, "comment": {"id": 1}}),
        ("github", {"ref": "refs/heads/draft", "after": "a1", "repository": SHOP}),
        (
            "github",
            {
                "ref": "refs/heads/main",
                "after": "0",
                "deleted": True,
                "repository": SHOP,
            },
        ),
        ("slack", {"event_id": "Ev1", "event": {"text": "x", "bot_id": "B1"}}),
    ],
)
def test_what_is_not_meant_is_skipped(preset: str, payload: Any) -> None:
    found = mapping.extract_all(PRESETS[PresetName(preset)].rules, payload)

    assert isinstance(found, mapping.Skipped)


async def test_command_of_ones_own_replaces_the_rules_and_keeps_the_proof(
    world: World, person: Principal
) -> None:
    reply = await create(
        world,
        person,
        preset="github",
        command="task create",
        templates={"title": "{ref}"},
    )

    assert reply.data["auth"] == "github"
    assert [each["command"] for each in rules_of(reply)] == ["task create"]


async def test_alerts_may_be_proven_in_another_way_than_usual(
    world: World, person: Principal
) -> None:
    reply = await create(world, person, preset="grafana", auth="key")

    assert (reply.data["auth"], reply.data["secret"]) == ("key", "")


async def test_rules_by_hand_are_kept_in_their_order(
    world: World, person: Principal
) -> None:
    reply = await create(
        world,
        person,
        rules=[
            {"command": "task.create", "templates": {"title": "{a}"}, "filter": "a"},
            {"command": "task withdraw", "arguments": {"external_key": "b"}},
        ],
    )

    assert [each["command"] for each in rules_of(reply)] == [
        "task create",
        "task withdraw",
    ]


async def test_webhook_without_any_command_only_keeps_and_shows(
    world: World, person: Principal
) -> None:
    reply = await create(world, person)
    shown = await ask(world, person, "webhook show", webhook="shop")

    assert rules_of(reply) == []
    assert "keeps and shows" in repr(shown.blocks)


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ({"command": "version", "rules": [{"command": "version"}]}, "a command and"),
        ({"templates": {"title": "x"}}, "--templates belongs to a command"),
        ({"preset": "github", "each": "a"}, "--each belongs to a command"),
        ({"preset": "github", "auth": "stripe"}, "does not sign as stripe"),
        (
            {"rules": [{"command": "version", "comand": "x"}]},
            "rule 1 does not fit at 'comand'",
        ),
        ({"rules": [{"command": "version"}, {}]}, "rule 2 does not fit at 'command'"),
        ({"rules": [{"command": "version"}] * 11}, "11 rules"),
        ({"rules": [{"command": "task delete"}]}, "is not a command"),
        ({"auth": "key", "secret": CHOSEN}, "share no secret"),
        ({"auth": "github", "secret": ""}, "secret is empty"),
        ({"auth": "github", "secret": " "}, "secret is empty"),
        ({"auth": "github", "secret": DUMMY}, "secret is a placeholder"),
        ({"auth": "github", "secret": "abc-" * 3 + "def"}, "shorter than 16"),
        ({"auth": "github", "secret": LONG}, "blanks around it"),
        ({"auth": "github", "secret": "a" * 16}, "fewer than 8 different"),
        ({"auth": "gitlab", "secret": "password" + "12345678"}, "a placeholder"),
        ({"auth": "stripe", "secret": "whsec_" * 3}, "a placeholder"),
        ({"auth": "gitlab", "secret": "a-secret-with-ünicode"}, "no header takes"),
        ({"auth": "gitlab", "secret": " a-secret-with-blanks"}, "blanks around it"),
        ({"auth": "standard", "secret": CHOSEN}, "not one of Standard Webhooks"),
        ({"name": "echo"}, "there for everybody"),
    ],
)
async def test_impossible_wish_is_refused_naming_what_is_wrong(
    world: World, person: Principal, args: dict[str, Any], what: str
) -> None:
    """`R-05`: no endpoint is made whose secret is as good as none."""
    reply = await create(world, person, **args)

    assert reply.error is not None
    assert reply.error.status < 500
    assert what in reply.error.detail
    assert reply.error.fix


async def test_chosen_secret_is_told_and_written_nowhere(
    world: World, person: Principal
) -> None:
    """`R-69`."""
    reply = await create(world, person, preset="github", secret=CHOSEN)
    rotated = await ask(
        world, person, "webhook rotate", webhook="shop", secret=f"{CHOSEN}!"
    )

    assert (reply.error, rotated.error) == (None, None)
    assert reply.data["secret"] in ("", MASK)
    assert CHOSEN not in repr([reply, rotated, *world.audits()])


async def test_chosen_secret_is_not_lost_by_waiting_for_a_confirmation(
    world: World, person: Principal
) -> None:
    """A proposal keeps no secret; confirmed alone, one would have been made instead."""
    line = {"name": "shop", "preset": "github", "secret": CHOSEN}

    asked = await ask(world, person, "webhook create", is_consent=False, **line)
    token = str(asked.data["token"])
    alone = await ask(world, person, "confirm", is_consent=False, proposal=token)
    other = await ask(
        world,
        person,
        "webhook create",
        is_consent=False,
        confirm=token,
        **{**line, "secret": f"{CHOSEN}!"},
    )
    whole = await ask(
        world, person, "webhook create", is_consent=False, confirm=token, **line
    )

    assert asked.status is ReplyStatus.NEEDS_CONFIRMATION
    assert CHOSEN not in repr(asked)
    assert asked.data["confirm"] == "", "no line says it all"
    assert alone.error is not None
    assert other.error is not None
    assert whole.error is None


@pytest.mark.parametrize("secret", ["", "short", "x" * 300])
async def test_rotation_refuses_a_secret_that_is_none(
    world: World, person: Principal, secret: str
) -> None:
    """`R-05`."""
    await create(world, person, preset="github")

    reply = await ask(world, person, "webhook rotate", webhook="shop", secret=secret)

    assert reply.error is not None
    assert reply.error.code == "invalid_argument"


def rules_of(reply: Reply) -> list[dict[str, Any]]:
    found = reply.data["rules"]
    assert isinstance(found, list)
    return [each for each in found if isinstance(each, dict)]
