"""Acknowledged as soon as it is on disk, however slow the work is that it asks for."""

import asyncio

import pytest

from channels.testing.slack import FakeSlack
from commands.context import AsyncContext
from commands.registry import command
from core.kernel.reply import Reply
from tests.integration.slack.conftest import ANN, OPS, ServeSlack, until


@pytest.mark.parametrize("is_http", [False, True], ids=["socket", "http"])
@pytest.mark.parametrize("commands", [100, pytest.param(1_000, marks=pytest.mark.soak)])
async def test_commands_are_acknowledged_while_none_of_them_gets_anywhere(
    fake: FakeSlack, serve_slack: ServeSlack, is_http: bool, commands: int
) -> None:
    """R-08: no handler ends before every acknowledgement has come."""
    may_end = asyncio.Event()
    gateway = await serve_slack(is_http=is_http)
    gateway.link("ann", ANN)

    @command("slow look", scope="tasks:read", examples=["slow look"])
    async def slow(_: AsyncContext) -> Reply:
        """Look for a long time."""
        await may_end.wait()
        return Reply(summary="looked")

    gateway.served.graph.registry.add(slow)

    answered = await asyncio.gather(
        *(fake.people.slash(ANN, OPS, "slow look") for _ in range(commands))
    )
    seen_meanwhile = list(fake.messages())
    may_end.set()
    first, *_ = await gateway.answered()

    assert all(each.is_ok for each in answered)
    assert seen_meanwhile == []
    assert gateway.count("inbox") == commands
    assert (first.via, first.text) == ("response_url", "looked")


async def test_acknowledging_calls_nothing_of_slack_and_looks_nobody_up(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-08: so neither Slack's Web API nor a person's rights can make it late."""
    gateway = await serve_slack()
    before = list(fake.calls)
    fake.script.add(*["hang"] * 20)

    answered = await asyncio.gather(
        *(fake.people.slash(ANN, OPS, f"status {number}") for number in range(20))
    )

    assert all(each.is_ok for each in answered)
    assert fake.calls[: len(before)] == before
    await until(lambda: gateway.count("inbox") == 20)
    assert len({each.envelope_id for each in fake.sockets.acks}) == 20


async def test_a_command_is_on_disk_once_it_is_acknowledged(
    fake: FakeSlack, serve_slack: ServeSlack
) -> None:
    """R-08."""
    gateway = await serve_slack(is_http=True)

    counts = []
    for number in range(5):
        assert (await fake.people.slash(ANN, OPS, f"help {number}")).is_ok
        counts.append(gateway.count("inbox"))

    assert counts == [1, 2, 3, 4, 5]
