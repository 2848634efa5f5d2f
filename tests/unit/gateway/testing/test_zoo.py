"""A plugin with a command of each kind, asked on each of the five channels."""

import pytest

from core.kernel.reply import Reply
from gateway.testing.bot import Bot


def code_of(reply: Reply) -> str:
    assert reply.error is not None, reply
    return reply.error.code


async def test_arguments_of_every_kind_arrive_as_they_were_written(bot: Bot) -> None:
    reply = await bot.send(
        r'zoo feed "Leo\'s <b> = \"x\" ä🦁" --times 3 --loud --foods meat,fish '
        r"--at 2026-11-04T09:00Z --every 15m --reason hungry"
    )

    assert reply.data == {
        "animal": 'Leo\\\'s <b> = "x" ä🦁',
        "times": 3,
        "loud": True,
        "foods": ["meat", "fish"],
        "at": "2026-11-04 09:00:00+00:00",
        "every": "0:15:00",
        "reason": "hungry",
    }


async def test_what_is_not_said_is_as_declared(bot: Bot) -> None:
    reply = await bot.send("feed zoo Leo")

    assert (reply.data["times"], reply.data["at"]) == (1, "None")


async def test_handler_that_awaits_is_waited_for(bot: Bot) -> None:
    assert (await bot.send("zoo ask Leo")).summary == "Leo greets ann"


async def test_risky_command_of_a_plugin_asks_first(bot: Bot) -> None:
    asked = await bot.send("zoo open C1")

    assert asked.status == "needs_confirmation"
    assert (await bot.confirm()).summary == "C1 is open"


@pytest.mark.bot_channels("slack", "websocket", "rest")
async def test_destructive_command_wants_the_id(bot: Bot) -> None:
    asked = await bot.send("zoo empty C1")

    assert asked.status == "needs_confirmation"
    assert (await bot.confirm()).summary == "C1 is empty"


@pytest.mark.bot_channels("email", "webhook")
async def test_destructive_command_is_refused(bot: Bot) -> None:
    refused = await bot.send("zoo empty C1")

    assert code_of(refused) in ("step_up_required", "not_runnable")


async def test_refusal_of_a_plugin_has_its_way_out(bot: Bot) -> None:
    refused = await bot.send("zoo close C1")

    assert code_of(refused) == "conflict"
    assert refused.error is not None
    assert refused.error.fix == ["zoo open C1"]


async def test_what_nobody_foresaw_is_an_answer_without_detail(bot: Bot) -> None:
    """M-OMN-01: also where nobody waits for it, and for whoever asked to read."""
    failed = await bot.send("zoo count")

    assert code_of(failed) == "plugin_failed"
    assert "stand still" not in str(failed)


async def test_what_is_missing_is_named(bot: Bot) -> None:
    refused = await bot.send("zoo feed")

    assert code_of(refused) == "invalid_argument"
    assert "animal" in str(refused.error)


async def test_scope_of_a_plugin_counts(bot: Bot) -> None:
    viewer = bot.as_("viewer")

    assert code_of(await viewer.send("zoo feed Leo")) == "missing_scope"
    assert (await viewer.send("zoo ask Leo")).summary == "Leo greets viewer"
