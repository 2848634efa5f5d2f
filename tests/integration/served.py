"""A whole gateway on a loopback port, served as `ops serve` does, in the test's loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import orjson
import uvicorn

from core.collab import tasks
from core.database import Tx
from core.events import service as events
from core.identity.keys import service as keys
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.kernel.principal import DEFAULT_TENANT, Principal, Role, TenantId, system
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.cli.sse import Message, parse_messages
from gateway.graph import Graph
from gateway.http.http_protocol import BoundedHttp
from gateway.server import Server
from gateway.settings import Settings
from gateway.simulators import Simulators

ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"
TAIL = "/collab/events/tail"
PATIENCE_SECONDS = 20.0


class ImpatientHttp(BoundedHttp):
    """Lets go of a client that reads nothing for half a second."""

    stall_seconds = 0.5


class Served:
    """One gateway over a data folder."""

    def __init__(
        self, data: Path, *, has_simulators: bool = False, **settings: Any
    ) -> None:
        known = Settings(
            data=data,
            flags_file=data / "flags.json",
            bootstrap_admin_key=ADMIN_KEY,  # type: ignore[arg-type]
            **{
                "limits": {"default": "1000000/minute"},
                # Whoever has runs executed says so: a worker makes events of its own.
                "workers": {"embedded": 0},
                **settings,
            },
        )
        simulators = Simulators.bind(known) if has_simulators else None
        self.graph: Graph = build(known, simulators=simulators)
        self.port = 0

    async def start(self) -> None:
        """Serve until `stop`."""
        config = uvicorn.Config(
            create_app(self.graph),
            port=0,
            http=ImpatientHttp,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        self._server = Server(config, self.graph)
        self._serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.wait([self._serving], timeout=0.005)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Shut down as a signal would have it."""
        self._server.should_exit = True
        await self._serving

    # ── what happens there ────────────────────────────────────────────────────
    def note(self, name: str, *, by: Principal | None = None, **fields: Any) -> None:
        """Append an event from outside of HTTP."""
        self.graph.db.run(
            lambda tx: events.report(tx, name, **fields), by=by or system()
        )

    def note_many(self, count: int, *, size: int = 0, name: str = "ping_sent") -> None:
        """Append many events in one unit, with `size` bytes of details each."""
        details = {"text": "x" * size}

        def work(tx: Tx) -> None:
            for number in range(count):
                events.report(tx, name, target=f"n-{number}", details=details)

        self.graph.db.run(work, by=system())

    def forget_before(self, seq: int) -> None:
        """Remove old events, as a retention would."""
        with self.graph.db.engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM events WHERE seq < {int(seq)}")

    def make_task(self, title: str) -> str:
        """Create a task and return its id."""
        made = self.graph.db.run(lambda tx: tasks.create(tx, title=title), by=system())
        return made.id

    def make_key(
        self,
        name: str,
        role: Role = Role.OPERATOR,
        *,
        scopes: tuple[str, ...] = (),
        tenant: TenantId = DEFAULT_TENANT,
    ) -> tuple[str, str]:
        """Make a person with an API key; return the key's id and its text."""

        def work(tx: Tx) -> tuple[str, str]:
            user = users.create(tx, name, roles=[role])
            made = keys.create(tx, "test", user_id=user.id, scopes=scopes)
            return made.key.id, made.text

        return self.graph.db.run(work, by=system(tenant))

    def make_tenant(self, name: str) -> TenantId:
        """Make a tenant and return its id."""
        made = self.graph.db.run(lambda tx: tenants.create(tx, name), by=system())
        return made.id

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        self.graph.db.run(lambda tx: keys.revoke(tx, key_id), by=system())

    # ── who reads it ──────────────────────────────────────────────────────────
    def client(self, key: str = ADMIN_KEY) -> httpx2.AsyncClient:
        """Make an HTTP client with a credential ("" for none)."""
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=PATIENCE_SECONDS,
        )

    @asynccontextmanager
    async def following(
        self,
        query: str = "",
        *,
        key: str = ADMIN_KEY,
        path: str = TAIL,
        last_id: str = "",
    ) -> AsyncIterator["Follower"]:
        """Follow events; the place where it begins was received already."""
        headers = {"Last-Event-ID": last_id} if last_id else {}
        async with (
            self.client(key) as client,
            client.stream("GET", f"{path}{query}", headers=headers) as response,
        ):
            assert response.status_code == 200, await response.aread()
            follower = Follower(response)
            await follower.receive()
            yield follower

    def request(self, query: str = "", *, last_id: str = "") -> bytes:
        """Write the request for a tail as it goes over the wire."""
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        return (
            f"GET {TAIL}{query} HTTP/1.1\r\nHost: gateway\r\n"
            f"X-API-Key: {ADMIN_KEY}\r\n{resume}\r\n"
        ).encode()

    async def mute_reader(self, query: str = "") -> asyncio.StreamWriter:
        """Open a tail of which nothing will be read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(self.request(query))
        del reader
        return writer


class Follower:
    """One reader of an event stream, message by message."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.last_id = ""
        self.comments: list[str] = []
        self._lines = response.aiter_lines()

    async def receive(self, patience: float = PATIENCE_SECONDS) -> Message | None:
        """Receive one message, comments apart; None at the end of the stream."""
        async with asyncio.timeout(patience):
            lines: list[bytes] = []
            async for line in self._lines:
                if line.startswith(":"):
                    self.comments.append(line)
                elif line:
                    lines.append(line.encode())
                elif lines:
                    [message] = parse_messages([*lines, b""])
                    self.last_id = message.id or self.last_id
                    return message
        return None

    async def event(self) -> Message:
        """Receive the next message that has data."""
        while (message := await self.receive()) is not None:
            if message.data:
                return message
        raise AssertionError("the stream ended")

    async def events(self, count: int) -> list[dict[str, Any]]:
        """Receive that many events, parsed."""
        return [orjson.loads((await self.event()).data) for _ in range(count)]

    async def rest(self) -> list[Message]:
        """Receive everything up to the end of the stream."""
        found = []
        while (message := await self.receive()) is not None:
            found.append(message)
        return found
