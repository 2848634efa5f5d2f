"""kill -9 between an effect and its reply: one effect, one reply."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from channels.testing.slack import FakeSlack
from tests.faults.conftest import StartGateway
from tests.faults.gateway import GatewayProcess, client, send

ANN, OPS = "U0ANN0001", "C0OPS0001"
# A reply that was on its way when the process died is taken up after 40 s.
PATIENCE_SECONDS = 90.0
WAYS_OUT = ("response_url", "chat.postMessage", "chat.postEphemeral")


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    """A Slack that the gateways of this test are set up for."""
    slack = FakeSlack()
    await slack.start()
    monkeypatch.setenv("OPSWIRE_SLACK__BOT_TOKEN", slack.bot_token)
    monkeypatch.setenv("OPSWIRE_SLACK__SIGNING_SECRET", slack.signing_secret)
    monkeypatch.setenv("OPSWIRE_SLACK__APP_TOKEN", slack.app_token)
    monkeypatch.setenv("OPSWIRE_SLACK__API_URL", slack.url)
    yield slack
    await slack.stop()


async def test_a_reply_that_had_not_left_leaves_once_after_the_restart(
    fake: FakeSlack, start_gateway: StartGateway
) -> None:
    """R-01: the effect and its reply were committed together."""
    gateway = await asyncio.to_thread(start_gateway)
    await link(fake, gateway)
    before = len(fake.messages())
    for way in WAYS_OUT:
        fake.script.add(*["500"] * 100, method=way)

    seen = len(fake.calls)
    acknowledged = await fake.people.slash(ANN, OPS, 'task create "Fix login"')
    await until_tried(fake, since=seen)
    gateway.kill()
    fake.script.clear()
    await asyncio.to_thread(gateway.start)
    await fake.sockets.wait_open()
    again = await fake.outside.again()
    await until_answered(fake, before + 1)

    assert acknowledged.is_ok
    assert again.is_ok
    assert await tasks_in(gateway) == 1
    assert "T-1" in fake.messages()[-1].text
    await fake.people.slash(ANN, OPS, "task list")
    await until_answered(fake, before + 2)
    assert len(fake.messages()) == before + 2


async def link(fake: FakeSlack, gateway: GatewayProcess) -> None:
    """Link ann's account to the admin, by the code that both confirm."""
    await fake.sockets.wait_open()
    await fake.people.dm(ANN, "link")
    await until_answered(fake, 1)
    found = re.search(r"\b[0-9A-Z]{8}\b", f"{fake.messages()[0].blocks}")
    assert found is not None
    async with client() as http:
        linked = await send(http, gateway.url, f"link {found[0]}")
    assert linked.status_code == 200, linked.text


async def until_tried(fake: FakeSlack, *, since: int) -> None:
    """Wait until the gateway has tried to answer, which shows that it has the effect."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not set(WAYS_OUT) & set(fake.calls[since:]):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.01)


async def until_answered(fake: FakeSlack, count: int) -> None:
    """Wait until that many answers stand in Slack."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(fake.messages()) < count:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.01)


async def tasks_in(gateway: GatewayProcess) -> int:
    """Count the tasks."""
    async with client() as http:
        listed = await send(http, gateway.url, "task list")
    return len(listed.json()["data"]["items"])
