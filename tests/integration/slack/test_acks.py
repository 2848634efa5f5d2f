"""Acknowledged as soon as it is on disk, however slow the work is that it asks for."""

import asyncio
import threading

import pytest

from channels.testing.slack import FakeSlack
from commands.context import Context
from commands.registry import command
from core.kernel.reply import Reply
from tests.integration.slack.conftest import ANN, OPS, ServeSlack, until


@pytest.mark.parametrize("is_http", [False, True], ids=["socket", "http"])
async def test_a_command_is_acknowledged_before_it_has_run(
    fake: FakeSlack, serve_slack: ServeSlack, is_http: bool
) -> None:
    """R-08: the handler does not end before the acknowledgement has come."""
    may_end = threading.Event()
    gateway = await serve_slack(is_http=is_http)
    gateway.link("ann", ANN)

    @command("slow look", scope="tasks:read", examples=["slow look"])
    def slow(_: Context) -> Reply:
        """Look for a long time."""
        may_end.wait(20)
        return Reply(summary="looked")

    gateway.served.graph.registry.add(slow)

    answered = await fake.people.slash(ANN, OPS, "slow look")
    is_acknowledged_first = not may_end.is_set() and not fake.messages()
    may_end.set()
    [answer] = await gateway.answered()

    assert answered.is_ok
    assert is_acknowledged_first
    assert answer.text == "looked"


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
