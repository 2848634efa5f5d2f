"""A whole gateway on a loopback port, and the clients that talk to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect

from channels.terminal import render
from core.collab.tasks.tables import tasks
from core.database import Database, Tx
from core.events import service as events
from core.events.model import Event, EventFilter, view
from core.identity.keys import service as keys
from core.identity.users import service as users
from core.kernel.jsons import to_json
from core.kernel.principal import Principal, Role, system
from gateway.bootstrap import build
from gateway.event_source import EventLine, EventsGone
from gateway.graph import Graph
from gateway.http.websocket import WebSocketDoor
from gateway.http.websocket_connection import Limits, Parts
from gateway.http.websocket_protocol import BoundedWebSocket
from gateway.settings import LimitSettings, Settings

ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"
Frame = dict[str, Any]


class DatabaseTail:
    """An event source that reads the table again after each commit."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        db.on_commit(lambda _: self._wake(loop))

    async def newest(self, principal: Principal) -> int:
        return await self._db.read(events.last_seq, by=principal)

    async def tail(
        self, principal: Principal, *, after: int, wanted: EventFilter
    ) -> AsyncIterator[Sequence[EventLine]]:
        if after < await self._db.read(events.first_seq, by=principal) - 1:
            raise EventsGone(await self._db.read(events.first_seq, by=principal))
        while True:
            self._changed.clear()
            found = await self._db.read(
                partial(_events_after, seq=after, wanted=wanted), by=principal
            )
            if found:
                after = found[-1].seq
                yield [EventLine(each.seq, to_json(view(each))) for each in found]
            else:
                await self._changed.wait()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._changed.set)


class Gateway:
    """One gateway over a data folder; it can be stopped and started again."""

    def __init__(
        self,
        data: Path,
        *,
        limits: Limits,
        rate: str = "",
        protocol: type[BoundedWebSocket] = BoundedWebSocket,
        ping_seconds: float = 20,
    ) -> None:
        self._protocol = protocol
        self._ping_seconds = ping_seconds
        self._settings = Settings(
            data=data,
            bootstrap_admin_key=ADMIN_KEY,  # type: ignore[arg-type]
            limits=LimitSettings(default=rate or "100000000/minute"),
            allowed_origins=("https://console.example.com",),
        )
        self._limits = limits
        self.port = 0

    async def start(self) -> None:
        """Serve until `stop`, on the port of the first time."""
        self.graph: Graph = build(self._settings)
        parts = Parts(
            pipeline=self.graph.pipeline,
            registry=self.graph.registry,
            db=self.graph.db,
            events=DatabaseTail(self.graph.db),
            terminal=render,
            clock=self.graph.clock,
            limits=self._limits,
        )
        self.door = WebSocketDoor(
            parts, self.graph.auth, origins=self._settings.allowed_origins
        )
        config = uvicorn.Config(
            _app(self.graph, self.door),
            port=self.port,
            ws=self._protocol,
            ws_ping_interval=self._ping_seconds,
            ws_ping_timeout=self._ping_seconds,
            ws_max_size=65_536,
            ws_per_message_deflate=False,
            log_config=None,
            log_level="warning",
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.wait([self._serving], timeout=0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Shut down as a signal would have it."""
        self._server.should_exit = True
        await self._serving

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    # ── what it knows ─────────────────────────────────────────────────────────
    def make_key(self, name: str, role: Role = Role.OPERATOR) -> tuple[str, str]:
        """Make a person with an API key; return the key's id and its text."""
        return self.graph.db.run(lambda tx: _make_key(tx, name, role), by=system())

    def revoke(self, key_id: str) -> None:
        self.graph.db.run(lambda tx: keys.revoke(tx, key_id), by=system())

    def titles(self) -> list[str]:
        """Return the title of every task, in the order in which they were created."""
        return self.graph.db.look(_titles, by=system())

    # ── clients ───────────────────────────────────────────────────────────────
    def url(self, port: int = 0) -> str:
        return f"ws://127.0.0.1:{port or self.port}/v1/ws"

    @asynccontextmanager
    async def connected(
        self, *, key: str = ADMIN_KEY, **options: Any
    ) -> AsyncIterator["Client"]:
        """Connect with a header and take the welcome."""
        headers = {"Authorization": f"Bearer {key}"}
        async with connect(
            self.url(), additional_headers=headers, compression=None, **options
        ) as raw:
            client = Client(raw)
            client.welcome = await client.take("welcome")
            yield client

    @asynccontextmanager
    async def greeted(
        self, *, key: str = ADMIN_KEY, **fields: Any
    ) -> AsyncIterator["Client"]:
        """Connect as a browser does: with hello, and `fields` in it."""
        async with connect(self.url(), compression=None) as raw:
            client = Client(raw)
            await client.send(t="hello", protocol=1, token=key, **fields)
            client.welcome = await client.take("welcome")
            yield client


class Client:
    """One connection, frame by frame."""

    def __init__(self, raw: ClientConnection) -> None:
        self.raw = raw
        self.welcome: Frame = {}

    async def send(self, **frame: Any) -> None:
        await self.raw.send(orjson.dumps(frame).decode())

    async def receive(self) -> Frame:
        async with asyncio.timeout(10):
            frame: Frame = orjson.loads(await self.raw.recv())
        return frame

    async def take(self, kind: str) -> Frame:
        """Receive one frame, which must be of this kind."""
        frame = await self.receive()
        assert frame["t"] == kind, frame
        return frame

    async def exec(self, exec_id: str, line: str, **fields: Any) -> Frame:
        """Run a line and return its reply frame, the next one to come."""
        await self.send(t="exec", id=exec_id, line=line, **fields)
        return await self.take("reply")

    async def closed(self) -> int:
        """Wait for the server to close; return its code."""
        async with asyncio.timeout(10):
            await self.raw.wait_closed()
        assert self.raw.close_code is not None
        return self.raw.close_code


def _events_after(tx: Tx, *, seq: int, wanted: EventFilter) -> Sequence[Event]:
    return events.list_after(tx, seq, wanted)


def _app(graph: Graph, door: WebSocketDoor) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await graph.start()
        yield
        await graph.stop()

    return Starlette(routes=[WebSocketRoute("/v1/ws", door)], lifespan=lifespan)


def _make_key(tx: Tx, name: str, role: Role) -> tuple[str, str]:
    user = users.create(tx, name, roles=[role])
    made = keys.create(tx, "test", user_id=user.id)
    return made.key.id, made.text


def _titles(tx: Tx) -> list[str]:
    query = select(tasks.c.title).where(tasks.c.tenant_id == tx.tenant)
    return [row[0] for row in tx.execute(query.order_by(tasks.c.number))]
