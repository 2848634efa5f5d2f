"""A gateway behind a real socket, and what can be said to it byte by byte."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple

import orjson
import uvicorn

from gateway.app import create_app
from gateway.http.protocol import StrictHttp
from tests.api.gateway import ADMIN_KEY, Gateway

WHOAMI = (
    b"GET /v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n\r\n"
    % ADMIN_KEY.encode()
)
ANSWER = b"x-content-type-options"


class Hasty(StrictHttp):
    """The protocol of every day, but it waits for less."""

    limits = replace(StrictHttp.limits, head_seconds=0.5, idle_seconds=0.5)


class Answered(NamedTuple):
    """All that came back until the server closed, or fell silent."""

    raw: bytes
    is_closed: bool

    @property
    def statuses(self) -> list[int]:
        return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", self.raw)]

    @property
    def problem(self) -> dict[str, object]:
        parsed = orjson.loads(self.raw.rpartition(b"\r\n\r\n")[2])
        assert isinstance(parsed, dict)
        return parsed


class Served:
    """A gateway on a port of this machine."""

    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway = gateway
        self.port = port

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def say(
        self, *pieces: bytes, answers: int = 0, patience: float = 5.0
    ) -> Answered:
        """Send bytes; read `answers` responses, or until the server closes."""
        reader, writer = await self.connect()
        sending = asyncio.create_task(_send(writer, pieces))
        raw, is_closed = b"", False
        try:
            async with asyncio.timeout(patience):
                while not is_closed and not (answers and raw.count(ANSWER) >= answers):
                    piece = await reader.read(65_536)
                    raw, is_closed = raw + piece, not piece
        except TimeoutError:
            pass
        except ConnectionResetError:
            is_closed = True
        sending.cancel()
        writer.close()
        return Answered(raw, is_closed)

    async def require_whoami(self) -> None:
        """Ask what anybody may ask; it must be answered."""
        reader, writer = await self.connect()
        writer.write(WHOAMI)
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 200"), head


async def _send(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...]) -> None:
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        return


@asynccontextmanager
async def served(
    gateway: Gateway, protocol: type[StrictHttp] = StrictHttp
) -> AsyncIterator[Served]:
    """Serve a gateway the way `ops serve` does, for as long as the block lasts."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    config = uvicorn.Config(
        create_app(gateway.graph),
        http=protocol,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield Served(gateway, int(listening.getsockname()[1]))
    finally:
        server.should_exit = True
        await running
        listening.close()
