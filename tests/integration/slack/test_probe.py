"""The self-test says what is missing and what to do, and health says it meanwhile."""

from typing import Any

import pytest

from channels.base import Link
from channels.slack.probe import SlackProber
from channels.testing.slack import FakeSlack
from tests.integration.slack.conftest import Alone, until


def prober(
    alone: Alone, *, app_token: str = "", has_secret: bool = True
) -> SlackProber:
    return SlackProber(
        alone.teams, alone.pool, app_token=app_token, has_secret=has_secret
    )


async def test_every_step_passes_where_all_is_well(
    fake: FakeSlack, alone: Alone
) -> None:
    await alone.teams.reload()

    steps = await prober(alone, app_token=fake.app_token).probe("default")

    assert [each.name for each in steps] == [
        "installed",
        "token works",
        "rights are granted",
        "messages can come in",
    ]
    assert all(each.is_ok and not each.fix for each in steps)


async def test_a_missing_right_is_named(fake: FakeSlack, alone: Alone) -> None:
    await alone.teams.reload()
    fake.home.scopes -= {"im:history", "chat:write"}

    *_, last = await prober(alone).probe("default")

    assert not last.is_ok
    assert last.detail == "missing chat:write, im:history"
    assert "install the app again" in last.fix


@pytest.mark.parametrize(
    ("script", "fix"),
    [
        ("refused:token_revoked", "install the app again"),
        ("500", "try again"),
        ("429:3", "try again"),
        ("reset", "try again"),
        ("hang", "try again"),
    ],
)
async def test_it_stops_at_the_first_step_that_fails_and_never_raises(
    fake: FakeSlack, alone: Alone, script: str, fix: str
) -> None:
    await alone.teams.reload()
    fake.script.add(script)

    steps = await prober(alone).probe("default")

    assert [each.name for each in steps] == ["installed", "token works"]
    assert fix in steps[-1].fix


async def test_without_any_way_in_that_is_what_is_missing(alone: Alone) -> None:
    await alone.teams.reload()

    *_, last = await prober(alone, has_secret=False).probe("default")

    assert "OPSWIRE_SLACK__APP_TOKEN" in last.fix


async def test_an_account_that_is_not_there_is_told_how_to_add_it(alone: Alone) -> None:
    await alone.teams.reload()

    [step] = await prober(alone).probe("nobody")

    assert not step.is_ok
    assert "workspace add" in step.fix


async def test_a_bad_token_is_degraded_and_mended_by_a_better_one(
    fake: FakeSlack, alone: Alone
) -> None:
    alone.installations.tokens["default"] = "xoxb-wrong-token"
    await alone.teams.reload()
    bad = alone.health()

    alone.installations.tokens["default"] = fake.bot_token
    await alone.teams.reload()

    assert (bad.link, bool(bad.fix)) == (Link.DEGRADED, True)
    assert alone.health().link is Link.CONNECTED


@pytest.mark.parametrize(
    "event",
    [
        {"type": "app_uninstalled"},
        {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0OPSBOT1"]}},
    ],
)
async def test_a_removed_app_is_named_on_health(
    fake: FakeSlack, alone: Alone, event: dict[str, Any]
) -> None:
    async with alone.running(fake.app_token):
        await fake.sockets.wait_open()
        persons = {"type": "tokens_revoked", "tokens": {"oauth": ["U0ANN0001"]}}
        await fake.people.tell(persons)
        assert alone.health().link is Link.CONNECTED

        await fake.people.tell(event)
        await until(lambda: alone.health().error)

        assert "install the app again" in alone.health().fix


async def test_a_refused_app_token_names_the_setting_it_came_from(
    fake: FakeSlack, alone: Alone
) -> None:
    await alone.teams.reload()

    *_, last = await prober(alone, app_token="xapp-wrong").probe("default")

    assert (last.name, last.is_ok) == ("messages can come in", False)
    assert "OPSWIRE_SLACK__APP_TOKEN" in last.fix


async def test_before_the_workspaces_are_known_it_is_starting(alone: Alone) -> None:
    [health] = alone.teams.healths()
    [step] = await prober(alone).probe("default")

    assert (health.link, health.error) == (Link.OFF, "starting")
    assert step.fix == "try again in a second"
