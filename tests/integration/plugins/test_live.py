"""A command that is saved is alive on every channel a moment later, and then gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
import websockets

from channels.testing.webhook import sign
from core.hooks.model import key_of
from tests.integration.served import ADMIN_KEY
from tests.integration.simulators.conftest import (
    PATIENCE_SECONDS,
    PAUSE_SECONDS,
    Page,
    played,
)

HELLO = '''\
# plugins/hello.py
from commands import command

@command("hello say", scope="hello:read", examples=["hello say Ann"])
def hello_say(ctx, name: str = "world"):
    """Say hello."""
    return f"Hello, {name}!"
'''
LINE = "hello say Ann"
GREETED = "Hello, Ann!"

Say = Callable[[], Awaitable[str]]


class Street:
    """The five channels of one served gateway; each says the line and reads an answer."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.folder = folder
        self._secret = ""

    @property
    def channels(self) -> Mapping[str, Say]:
        return {
            "rest": self.rest,
            "websocket": self.websocket,
            "slack": self.slack,
            "email": self.email,
            "webhook": self.webhook,
        }

    def save(self, text: str = HELLO, name: str = "hello") -> Path:
        path = self.folder / f"{name}.py"
        path.write_text(text)
        return path

    async def rest(self) -> str:
        return summary_of(await self.page.say(LINE))

    async def websocket(self) -> str:
        address = f"ws://127.0.0.1:{self.page.gateway.port}/v1/ws"
        credential = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with websockets.connect(address, additional_headers=credential) as link:
            frame = {"t": "exec", "id": "1", "line": LINE}
            await link.send(orjson.dumps(frame).decode())
            async for text in link:
                frame = orjson.loads(text)
                if frame["t"] == "reply":
                    return summary_of(frame["reply"])
        raise AssertionError("the connection was closed")

    async def slack(self) -> str:
        said = len(_by_the_app(await self.page.state()))
        await self.page.type(f"/ops {LINE}")
        answer = await self.page.find(lambda state: _by_the_app(state)[said:])
        return str(answer["text"])

    async def email(self) -> str:
        got = len(_received(await self.page.state()))
        await self.page.write(f"!{LINE}")
        answer = await self.page.find(lambda state: _received(state)[got:])
        return str(answer["text"])

    async def webhook(self) -> str:
        """Deliver to the endpoint, which is made when the command is there."""
        if not self._secret:
            made = await self._made()
            if made["error"]:
                return summary_of(made)
            self._secret = made["data"]["secret"]
        gateway, body = self.page.gateway, '{"who": "Ann"}'
        now = gateway.graph.clock.now()
        receipt = await self.page.client.post(
            "/v1/channels/webhook/greet",
            content=body,
            headers=sign(body, key=key_of(self._secret), now=now),
        )
        assert receipt.status_code == 202, receipt.text
        return await self._became(receipt.json()["request_id"])

    async def _made(self) -> Any:
        line = 'webhook create greet --command "hello say" --arguments {"name":"who"}'
        made = await self.page.say(line)
        if made["status"] == "needs_confirmation":
            made = await self.page.say(made["data"]["confirm"])
        return made

    async def _became(self, request_id: str) -> str:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                told = await self.page.client.get(f"/v1/commands/{request_id}")
                if told.status_code == 200:
                    return summary_of(told.json())
                await asyncio.sleep(PAUSE_SECONDS)


def summary_of(told: Mapping[str, Any]) -> str:
    return str(told["summary"])


def _by_the_app(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in state["slack"]["messages"] if each["is_bot"]]


def _received(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in state["mail"]["mails"] if not each["is_sent"]]


async def until(say: Say, *, is_there: bool) -> str:
    """Say the line until it is answered as it should be, and give that answer."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (GREETED in (answer := await say())) is not is_there:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)
    return answer


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """A gateway in demo mode, with a folder of plugins that is empty."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    async with played(tmp_path / "data", plugins_folder=folder) as page:
        await page.find(page.is_ready)
        yield Street(page, folder)


async def test_saved_command_is_alive_on_five_channels_and_then_gone(
    street: Street,
) -> None:
    """M-OMN: while the gateway serves, without a restart of anything."""
    for say in street.channels.values():
        assert GREETED not in await say()

    path = street.save()
    for say in street.channels.values():
        await until(say, is_there=True)

    path.unlink()
    for name, say in street.channels.items():
        gone = await until(say, is_there=False)
        assert "not a command" in gone, name


async def test_changed_command_is_the_new_one(street: Street) -> None:
    street.save()
    await until(street.rest, is_there=True)

    street.save(HELLO.replace("Hello, {name}!", "Good day, {name}!"))

    assert "Good day, Ann!" in await until(street.rest, is_there=False)


async def test_plugin_that_raises_is_told_and_the_rest_goes_on(
    street: Street,
) -> None:
    """A plugin that raises at import leaves the gateway serving, others included."""
    street.save()
    street.save("raise RuntimeError('no luck today')", name="broken")
    await until(street.rest, is_there=True)

    async with asyncio.timeout(PATIENCE_SECONDS):
        while "broken" not in (stands := await standings(street)):  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)

    assert stands["broken"]["state"] == "disabled"
    assert "no luck today" in stands["broken"]["fault"]
    assert stands["hello"]["state"] == "live"
    assert summary_of(await street.page.say("version"))


async def standings(street: Street) -> dict[str, dict[str, Any]]:
    listed = await street.page.say("plugin list")
    return {each["plugin"]: each for each in listed["data"]["items"]}
