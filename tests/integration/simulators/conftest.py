"""A gateway in demo mode on a loopback port, and its page as a browser calls it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from core.database import Tx
from core.identity.links import service as links
from core.identity.users import service as users
from core.kernel.principal import system
from tests.integration.served import ADMIN_KEY, Served

OPS = "C0OPS0001"
PATIENCE_SECONDS = 20.0
PAUSE_SECONDS = 0.05

Playing = Callable[..., Awaitable["Page"]]
Message = dict[str, Any]


class Page:
    """The calls of the page, in the name of the admin."""

    def __init__(self, gateway: Served, client: httpx2.AsyncClient) -> None:
        self.gateway = gateway
        self.client = client

    async def state(self, who: str = "ann") -> dict[str, Any]:
        answer = await self.client.get("/simulators/api/state", params={"who": who})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def slack(self, who: str = "ann", **act: Any) -> httpx2.Response:
        """Act in Slack."""
        body = {"who": who, **act}
        return await self.client.post("/simulators/api/slack", json=body)

    async def type(self, text: str, *, who: str = "ann", thread: str = "") -> None:
        """Type into #ops."""
        place = {"channel": OPS, "thread": thread}
        answer = await self.slack(who, do="type", text=text, **place)
        assert answer.json()["is_ok"], answer.text

    async def write(self, text: str, *, subject: str = "hello") -> None:
        """Write a mail as ann."""
        mail = {"who": "ann", "subject": subject, "text": text}
        answer = await self.client.post("/simulators/api/mail", json=mail)
        assert answer.json()["is_ok"], answer.text

    async def say(self, line: str) -> Any:
        """Say a line over REST."""
        answer = await self.client.post("/v1/commands", json={"line": line})
        return answer.json()

    async def answer(self, text: str, *, who: str = "ann") -> Message:
        """Wait for a message of the app that says something."""
        return await self.find(
            lambda state: [
                each
                for each in state["slack"]["messages"]
                if each["is_bot"] and text in each["text"]
            ],
            who=who,
        )

    async def mail(self, text: str) -> Message:
        """Wait for a mail to ann that says something in its text."""
        return await self.find(
            lambda state: [
                each
                for each in state["mail"]["mails"]
                if not each["is_sent"] and text in each["text"]
            ]
        )

    def is_ready(self, state: dict[str, Any]) -> list[Message]:
        """Tell whether the channels are up and both people linked."""
        slack, mail = state["slack"], state["mail"]
        is_up = slack is not None and slack["is_connected"] and mail is not None
        linked = self.gateway.graph.db.look(_linked_accounts, by=system())
        return [state] if is_up and linked == 4 else []

    async def find(
        self, look: Callable[[dict[str, Any]], list[Message]], *, who: str = "ann"
    ) -> Message:
        """Look at the state until there is what is looked for; give the newest."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := look(await self.state(who))):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE_SECONDS)
        return found[-1]


def switch_on(data: Path) -> None:
    """Turn demo mode on for a gateway over a data folder."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "flags.json").write_text('{"demoMode": true}')


@asynccontextmanager
async def played(data: Path, **settings: Any) -> AsyncIterator[Page]:
    """Serve a gateway in demo mode, with whoever is simulated present."""
    switch_on(data)
    gateway = Served(data, has_simulators=True, **settings)
    await gateway.start()
    try:
        async with gateway.client(ADMIN_KEY) as client:
            yield Page(gateway, client)
    finally:
        await gateway.stop()


def _linked_accounts(tx: Tx) -> int:
    found = [users.find_by_name(tx, name) for name in ("ann", "bob")]
    return sum(len(links.list_(tx, each.id)) for each in found if each)


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    """A gateway in demo mode whose people are linked and whose channels are up."""
    async with played(tmp_path / "data") as page:
        await page.find(page.is_ready)
        yield page
