"""A whole gateway behind its ASGI application, and who asks it over HTTP."""

from collections.abc import Mapping
from typing import Any

import httpx2
import orjson
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from core.kernel.clock import Clock
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.settings import Settings

PROBLEM = "application/problem+json"

Body = Mapping[str, Any]


class OwnSettings(Settings):
    """Settings that say what they are given: nothing comes from the environment."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the arguments alone; the rest is what pydantic calls this with."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


class Answer:
    """One HTTP response, its body read."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.raw = response.content
        self.is_problem = response.headers.get("content-type") == PROBLEM

    @property
    def body(self) -> Any:
        """The body, parsed."""
        return orjson.loads(self.raw)

    @property
    def data(self) -> Any:
        """What a command answered, inside of its Reply."""
        return self.body["data"]

    @property
    def error(self) -> Any:
        """The problem of a Reply, or of a resource route."""
        return self.body if self.is_problem else self.body["error"]

    @property
    def etag(self) -> str:
        """The ETag as it was sent, quotes and all."""
        return str(self.headers["etag"])

    def __repr__(self) -> str:
        return f"{self.status} {self.raw[:2000]!r}"


class Person:
    """Somebody with an API key, or the token of a session."""

    def __init__(self, gateway: "Gateway", key: str, *, key_id: str = "") -> None:
        self._gateway = gateway
        self.key = key
        self.key_id = key_id

    async def say(self, line: str, *, key: str = "", **headers: str) -> Answer:
        """Send a line to /v1/commands; `key` is its idempotency key."""
        return await self._send({"line": line}, key, headers)

    async def command(self, name: str, /, **args: Any) -> Answer:
        """Send the JSON form to /v1/commands."""
        return await self._send({"command": name, "args": args}, "", {})

    async def call(
        self, method: str, path: str, body: Body | None = None, /, **headers: str
    ) -> Answer:
        """Call a route; headers are spelt `if_match="…"`."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else orjson.dumps(body)
        return await self._gateway.send(
            method, path, content, {"authorization": f"Bearer {self.key}", **given}
        )

    async def get(self, path: str, **headers: str) -> Answer:
        """Look at something."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Body | None = None, **headers: str) -> Answer:
        """Post something, an empty object unless it is said what."""
        return await self.call("POST", path, body or {}, **headers)

    async def patch(self, path: str, body: Body, **headers: str) -> Answer:
        """Change something."""
        return await self.call("PATCH", path, body, **headers)

    async def _send(self, body: Body, key: str, headers: Mapping[str, str]) -> Answer:
        given = {**({"idempotency_key": key} if key else {}), **headers}
        return await self.call("POST", "/v1/commands", body, **given)


class Gateway:
    """A gateway without its tickers: what is due is done when a test asks for it."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self._given_clock = clock
        self._start()

    def _start(self) -> None:
        self.graph = build(self.settings, clock=self._given_clock)
        self._app = create_app(self.graph)

    async def stop(self) -> None:
        """Let go of everything; the database stays."""
        await self.graph.stop()

    async def send(
        self,
        method: str,
        path: str,
        content: bytes | None,
        headers: Mapping[str, str],
        *,
        address: str = "203.0.113.1",
    ) -> Answer:
        """Send a request from a socket address."""
        transport = httpx2.ASGITransport(app=self._app, client=(address, 40_000))
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://gateway"
        ) as client:
            response = await client.request(
                method, path, content=content, headers=dict(headers)
            )
        return Answer(response)

    async def auth(
        self, path: str, body: Body, *, address: str = "203.0.113.1", **headers: str
    ) -> Answer:
        """Post to /auth/… from a socket address."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.send(
            "POST", f"/auth/{path}", orjson.dumps(body), given, address=address
        )
