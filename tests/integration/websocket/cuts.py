"""A proxy that cuts connections, and a client that survives it as the README asks."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from tests.integration.websocket.gateway import ADMIN_KEY, Frame

WINDOW = 24
_CHUNK = 16_384


class CuttingProxy:
    """Passes bytes on until a connection has used up its allowance, then resets it.

    Units:  each connection is allowed a random number of bytes, both ways together.
    """

    def __init__(self, port: int, *, cuts: int, most_bytes: int) -> None:
        self._target = port
        self._cuts = cuts
        self._most_bytes = most_bytes
        self._rng = random.Random(7)
        self.cut_count = 0

    async def __aenter__(self) -> int:
        """Listen; return the port."""
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", self._target
        )
        is_spared = self.cut_count >= self._cuts
        left = [10**12 if is_spared else self._rng.randrange(600, self._most_bytes)]
        ways = (
            asyncio.create_task(_copy(reader, far_writer, left)),
            asyncio.create_task(_copy(far_reader, writer, left)),
        )
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        self.cut_count += left[0] <= 0
        for each in (writer, far_writer):
            each.transport.abort()
        await asyncio.gather(*ways)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]
) -> None:
    with suppress(OSError):
        while left[0] > 0 and (chunk := await reader.read(_CHUNK)):
            writer.write(chunk[: left[0]])
            left[0] -= len(chunk)
            if left[0] > 0:
                await writer.drain()


class FaithfulClient:
    """Sends every line until it is answered, and writes down what it is answered.

    It keeps the rules of the README: up to `welcome.replayed` replies come first, those
    named `pending` will come by themselves, every other unanswered exec is sent again.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._unsent: Iterator[tuple[str, str]] = (
            (f"x{number}", line) for number, line in enumerate(lines)
        )
        self._count = len(lines)
        self._waiting: dict[str, str] = {}
        self._session = ""
        self.seq = 0
        self.answers: dict[str, Frame] = {}
        self.doubles: list[str] = []
        self.disorders: list[tuple[int, int]] = []
        self.gaps = 0
        self.connections = 0

    async def run(self, url: str) -> None:
        """Go on until every line is answered, over as many connections as it takes."""
        while len(self.answers) < self._count:
            with suppress(ConnectionClosed, OSError, InvalidMessage, EOFError):
                async with connect(url, compression=None, close_timeout=1) as raw:
                    self.connections += 1
                    await self._talk(raw)

    async def _talk(self, raw: ClientConnection) -> None:
        await self._greet(raw)
        while len(self.answers) < self._count:
            for exec_id, line in self._next_lines():
                self._waiting[exec_id] = line
                await _exec(raw, exec_id, line)
            self._note(await _receive(raw))

    async def _greet(self, raw: ClientConnection) -> None:
        hello: Frame = {"t": "hello", "protocol": 1, "token": ADMIN_KEY}
        if self._session:
            hello["resume"] = {"session": self._session, "seq": self.seq}
        await raw.send(orjson.dumps(hello).decode())
        welcome = await _receive(raw)
        self.gaps += welcome["gap"]
        self._session = welcome["session"]
        for _ in range(welcome["replayed"]):
            self._note(await _receive(raw))
        for exec_id in self._waiting.keys() - set(welcome["pending"]):
            await _exec(raw, exec_id, self._waiting[exec_id])

    def _next_lines(self) -> Iterator[tuple[str, str]]:
        while len(self._waiting) < WINDOW:
            following = next(self._unsent, None)
            if following is None:
                return
            yield following

    def _note(self, frame: Frame) -> None:
        if frame["seq"] < self.seq:
            self.disorders.append((self.seq, frame["seq"]))
        self.seq = max(self.seq, frame["seq"])
        if self._waiting.pop(frame["id"], None) is None:
            self.doubles.append(frame["id"])
        self.answers[frame["id"]] = frame


async def _exec(raw: ClientConnection, exec_id: str, line: str) -> None:
    frame = {"t": "exec", "id": exec_id, "line": line}
    await raw.send(orjson.dumps(frame).decode())


async def _receive(raw: ClientConnection) -> Frame:
    async with asyncio.timeout(10):
        frame: Frame = orjson.loads(await raw.recv())
    return frame
