"""A receiver of webhooks on loopback that does as it is told, well or badly."""

import asyncio
import json
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from typing import Any

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]

_CHUNK = b"x" * 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One request as it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def id(self) -> str:
        """What makes two of them the same."""
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


@dataclass(slots=True)
class Receiver:
    """Takes requests; the first act of `script` answers the next, then `usual` does.

    Shape:  `sent_bytes` counts what was written of answers without an end.
    """

    usual: Act
    script: deque[Act] = field(default_factory=deque)
    hits: list[Hit] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    sent_bytes: int = 0
    tls: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    _server: asyncio.Server | None = None
    _serving: set["asyncio.Task[Any]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}/hook"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._server = await asyncio.start_server(
            self._serve, self.host, self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take nothing more."""
        if self._server is not None:
            self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while hit := await _read(reader):
                self.hits.append(hit)
                act = self.script.popleft() if self.script else self.usual
                await act(writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """Whoever sends may hang up at any time, and so may we."""
        finally:
            self._serving.discard(task)
            writer.close()


@asynccontextmanager
async def receiving(
    usual: Act | None = None, *acts: Act, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Have a receiver on a port of its own."""
    receiver = Receiver(usual or says(204), deque(acts), tls=tls)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


# ── what it may do ────────────────────────────────────────────────────────────
def says(status: int, body: bytes = b"", **headers: str) -> Act:
    """Answer, and keep the connection."""

    async def act(writer: asyncio.StreamWriter) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"{name}: {value}" for name, value in named.items()]
        if status != 204:
            lines.append(f"content-length: {len(body)}")
        head = "\r\n".join([f"HTTP/1.1 {status} Said", *lines, "", ""])
        writer.write(head.encode() + body)

    return act


def waits(seconds: float, then: Act) -> Act:
    """Take a while."""

    async def act(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await then(writer)

    return act


async def hangs(writer: asyncio.StreamWriter) -> None:
    """Say nothing for longer than anybody waits."""
    await asyncio.sleep(3600)


async def resets(writer: asyncio.StreamWriter) -> None:
    """Cut the connection without a word."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
    writer.transport.abort()
    raise ConnectionResetError


async def drips(writer: asyncio.StreamWriter) -> None:
    """Say a body so slowly that nobody waits for its end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.02)


async def babbles(writer: asyncio.StreamWriter) -> None:
    """Say what is no HTTP."""
    writer.write(b"SSH-2.0-OpenSSH_9.7\r\n\r\n")
    raise ConnectionError


def breaks_off(said: bytes) -> Act:
    """Say something, and close the connection in the middle of it."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        raise ConnectionError

    return act


def floods(receiver: Receiver, head: bytes = b"") -> Act:
    """Say a body without an end, after a head."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(head or b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
        while True:
            writer.write(_CHUNK)
            await writer.drain()
            receiver.sent_bytes += len(_CHUNK)

    return act


async def _read(reader: asyncio.StreamReader) -> Hit | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.split("\r\n")
    named = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in named}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = start.split(" ", 2)
    return Hit(method=method, path=path, headers=headers, body=body)
