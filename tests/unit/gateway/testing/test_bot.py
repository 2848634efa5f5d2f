"""What authors of plugins rely on: one line, one answer, on each of the five channels."""

import asyncio
from pathlib import Path

import pytest

from gateway.testing.bot import Bot, NothingProposed, plugins_of
from gateway.testing.gateway import OwnSettings


async def test_answer_is_the_same_on_every_channel(bot: Bot) -> None:
    """M-OMN-01: what is escaped, quoted and listed on the way arrives as it was."""
    made = await bot.send(
        """task create "Fix <login> & 'go' = 1" --lane B --dod "tests,docs" --priority 5"""
    )
    shown = await bot.send("task show T-1")

    assert (made.status, made.summary) == ("ok", "Created T-1 in queued")
    assert (made.actor, made.channel) == ("ann", bot.channel)
    assert shown.data["title"] == "Fix <login> & 'go' = 1"
    assert (shown.data["lane"], shown.data["priority"]) == ("B", 5)


async def test_each_test_has_a_database_of_its_own(bot: Bot) -> None:
    assert (await bot.send("task list")).summary == "No tasks"


async def test_refusal_is_an_answer(bot: Bot) -> None:
    unknown = await bot.send("tsk lst")
    missing = await bot.send("task show T-9")
    unfit = await bot.send("task create hello --lane Z")

    assert unknown.error is not None
    assert unknown.error.code == "unknown_command"
    assert missing.error is not None
    assert missing.error.code == "not_found"
    assert unfit.error is not None
    assert unfit.error.code == "invalid_argument"


async def test_risky_command_runs_once_it_is_confirmed(bot: Bot) -> None:
    asked = await bot.send('channel disable cli --reason "a flood"')
    before = await bot.as_("viewer").send("channel show cli")
    done = await bot.confirm()

    assert asked.status == "needs_confirmation"
    assert before.data["state"] == "connected"
    assert done.status == "ok"
    assert done.data["state"] == "off"
    assert done.data["reason"] == "a flood"


async def test_nothing_is_confirmed_that_was_not_proposed(bot: Bot) -> None:
    await bot.send("version")

    with pytest.raises(NothingProposed):
        await bot.confirm()


async def test_others_have_their_own_rights(bot: Bot) -> None:
    """A webhook runs with what its maker may still do."""
    viewer, operator = bot.as_("viewer"), bot.as_("operator")
    refused = await viewer.send("task create hello")
    made = await operator.send("task create hello")
    seen = await viewer.send("task show T-1")

    assert refused.error is not None
    assert refused.error.code == "missing_scope"
    assert made.actor == "operator"
    assert (seen.actor, seen.data["created_by"]) == ("viewer", "operator")


@pytest.mark.bot_channels("slack", "email", "websocket", "rest")
async def test_what_was_shown_can_be_read(bot: Bot) -> None:
    await bot.send('task create "Fix login"')
    await bot.as_("viewer").send("version")

    [text] = [each for each in await bot.texts() if "Created T-1" in each]
    assert "Fix login" in text
    assert "task claim T-1" in text or "Claim" in text


@pytest.mark.bot_channels("webhook")
async def test_machine_is_shown_a_receipt(bot: Bot) -> None:
    await bot.send("version")

    [receipt] = await bot.texts()
    assert "/v1/commands/rq_" in receipt


@pytest.mark.bot_channels("rest")
async def test_one_person_speaks_on_all_channels_of_one_gateway(bot: Bot) -> None:
    for channel in ("slack", "email", "webhook", "websocket", "rest"):
        reply = await bot.on(channel).send("task create hello")
        assert (reply.actor, reply.channel) == ("ann", channel)

    assert (await bot.send("task list")).summary == "5 tasks"


async def test_answers_do_not_get_mixed_up(bot: Bot) -> None:
    replies = await asyncio.gather(
        *(bot.send(f"task create number-{number}") for number in range(3))
    )

    assert [each.summary for each in replies] == [
        f"Created T-{number} in queued" for number in (1, 2, 3)
    ]


@pytest.mark.bot_channels("slack")
async def test_a_proposal_belongs_to_one_person_on_one_channel(bot: Bot) -> None:
    await bot.on("email").send("channel disable cli")

    with pytest.raises(NothingProposed):
        await bot.confirm()
    assert (await bot.on("email").confirm()).status == "ok"


@pytest.mark.bot_channels("slack", "email", "websocket", "rest")
async def test_a_conversation_goes_on(bot: Bot) -> None:
    await bot.send("task create one")
    await bot.send("task list")

    assert (await bot.send("show #1")).data["id"] == "T-1"


@pytest.mark.bot_channels("email", "webhook")
async def test_what_cannot_be_taken_back_is_refused(bot: Bot) -> None:
    made = await bot.on("rest").send("webhook create old --command version")
    assert made.status == "needs_confirmation"

    refused = await bot.send("webhook delete W-1")

    assert refused.error is not None
    assert refused.error.code in ("step_up_required", "not_runnable")


@pytest.mark.bot_channels("slack")
def test_marker_chooses_the_channel(bot: Bot) -> None:
    """A test without `async` has a bot as well."""
    assert bot.channel == "slack"


def test_settings_of_the_author_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No test of a plugin reaches the database or the workspace of its author."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://live.example.com/ops")
    monkeypatch.setenv("OPSWIRE_SLACK__BOT_TOKEN", "xoxb-live")
    monkeypatch.setenv("OPSWIRE_DATA", "/live")

    settings = OwnSettings(data=tmp_path)

    assert settings.database == f"sqlite:///{tmp_path}/opswire.db"
    assert not settings.slack.is_set


@pytest.mark.parametrize(
    ("test", "folder"),
    [
        ("plugins/test_hello.py", "plugins"),
        ("plugins/hello/test_hello.py", "plugins"),
        ("elsewhere/test_hello.py", "elsewhere"),
        ("elsewhere/hello/test_hello.py", "elsewhere"),
    ],
)
def test_plugins_are_those_beside_the_test(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, test: str, folder: str
) -> None:
    monkeypatch.setenv("OPSWIRE_PLUGINS_FOLDER", str(tmp_path / "plugins"))
    path = tmp_path / test
    path.parent.mkdir(parents=True)
    if path.parent.name == "hello":
        (path.parent / "__init__.py").touch()

    assert plugins_of(path) == tmp_path / folder
