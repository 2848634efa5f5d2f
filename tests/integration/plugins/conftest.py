"""A gateway whose plugins folder is being written to while it serves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from tests.integration.conftest import Serving
from tests.integration.served import ADMIN_KEY, Served
from tests.integration.websocket.gateway import Client

PATIENCE_SECONDS = 20.0
HELLO = '''from commands import command


@command(
    "hello say", scope="hello:read", http="GET /v1/hello", examples=["hello say Ann"]
)
def hello_say(ctx, name: str = "world"):
    """Say hello."""
    return f"Hello, {name}!"
'''


@dataclass(frozen=True)
class Workshop:
    """A gateway, its folder of plugins, and an author at work in it."""

    served: Served
    folder: Path
    http: httpx2.AsyncClient

    def save(self, name: str, text: str) -> None:
        """Save a file as an editor does: beside it, then in its place."""
        self.folder.mkdir(exist_ok=True)
        draft = self.folder / f".{name}.swp"
        draft.write_text(text, "utf-8")
        draft.rename(self.folder / name)

    def delete(self, name: str) -> None:
        (self.folder / name).unlink()

    async def say(self, line: str) -> dict[str, Any]:
        """Say a line as a person in a terminal does."""
        answer = await self.http.post("/v1/commands", json={"line": line})
        told: dict[str, Any] = answer.json()
        return told

    async def get(self, path: str) -> httpx2.Response:
        return await self.http.get(path)

    async def paths(self) -> dict[str, Any]:
        """Read the paths of /openapi.json."""
        found: dict[str, Any] = (await self.get("/openapi.json")).json()["paths"]
        return found

    async def plugin(self, name: str) -> dict[str, Any]:
        """Read how a plugin stands."""
        found: dict[str, Any] = (await self.get(f"/v1/plugins/{name}")).json()
        return found

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[Client]:
        """Connect to the WebSocket."""
        url = f"ws://127.0.0.1:{self.served.port}/v1/ws"
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        async with connect(url, additional_headers=headers) as raw:
            client = Client(raw)
            await client.take("welcome")
            yield client


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Ask again until it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await check():  # noqa: ASYNC110 - a file rings no bell
            await asyncio.sleep(0.02)


async def live(shop: Workshop, name: str = "hello") -> None:
    """Wait until a plugin is live."""

    async def check() -> bool:
        return (await shop.plugin(name)).get("state") == "live"

    await until(check)


async def disabled(shop: Workshop, name: str = "hello") -> dict[str, Any]:
    """Wait until a plugin is disabled, and give how it stands."""

    async def check() -> bool:
        return (await shop.plugin(name)).get("state") == "disabled"

    await until(check)
    return await shop.plugin(name)


async def gone(shop: Workshop, name: str = "hello") -> None:
    """Wait until there is no such plugin."""

    async def check() -> bool:
        return (await shop.get(f"/v1/plugins/{name}")).status_code == 404

    await until(check)


@pytest.fixture
async def shop(serving: Serving, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A gateway that began without any plugin."""
    folder = tmp_path / "plugins"
    served = await serving(plugins_folder=folder)
    async with served.client() as http:
        yield Workshop(served, folder, http)
