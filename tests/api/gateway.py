"""A whole gateway behind its ASGI application, and the people who use it over HTTP."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import orjson
from pydantic import SecretStr

from core.audit import service as audit
from core.audit.model import AuditEntry, AuditFilter
from core.database import Tx
from core.identity.keys import service as keys
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.kernel.principal import DEFAULT_TENANT, Role, TenantId, system
from core.kernel.problems import NotFound
from gateway.app import create_app
from gateway.bootstrap import build
from gateway.flags import FlagFile
from gateway.settings import LimitSettings, Settings
from gateway.sweeper import Sweeper
from tests.conftest import FakeClock

ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"
PLENTY = "100000000/minute"
PROBLEM = "application/problem+json"

Body = Mapping[str, Any]

_NOTES = ("audit_events", "conversations", "heads", "inbox")


class Answer:
    """One HTTP response, its body read."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.raw = response.content
        self.is_problem = response.headers.get("content-type") == PROBLEM

    @property
    def body(self) -> Any:
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
        return str(self.headers["etag"])

    def __repr__(self) -> str:
        return f"{self.status} {self.raw[:2000]!r}"


class Person:
    """Somebody with an API key."""

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
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Body | None = None, **headers: str) -> Answer:
        return await self.call("POST", path, body or {}, **headers)

    async def patch(self, path: str, body: Body, **headers: str) -> Answer:
        return await self.call("PATCH", path, body, **headers)

    async def _send(self, body: Body, key: str, headers: Mapping[str, str]) -> Answer:
        given = {**({"idempotency_key": key} if key else {}), **headers}
        return await self.call("POST", "/v1/commands", body, **given)


class Gateway:
    """A gateway without its tickers; the clock stands still until a test moves it."""

    def __init__(
        self, data: Path, clock: FakeClock, limits: LimitSettings, **settings: Any
    ) -> None:
        self.clock = clock
        self.settings = Settings(
            data=data,
            bootstrap_admin_key=SecretStr(ADMIN_KEY),
            limits=limits,
            **settings,
        )
        self.admin = Person(self, ADMIN_KEY)
        self._start()

    def _start(self) -> None:
        self.graph = build(self.settings, clock=self.clock)
        self._app = create_app(self.graph)

    async def stop(self) -> None:
        await self.graph.stop()

    async def restart(self) -> None:
        await self.stop()
        self._start()
        await self.graph.core.channels.reload()

    async def sweep(self) -> None:
        """Do what the sweeper does every second."""
        await Sweeper(self.graph.db, FlagFile(self.settings.flags_file)).sweep()

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

    def person(
        self,
        name: str,
        role: Role = Role.OPERATOR,
        *,
        tenant: str = DEFAULT_TENANT,
        scopes: tuple[str, ...] = (),
    ) -> Person:
        """Make a person with a key, in a tenant that is made as well."""

        def make(tx: Tx) -> tuple[str, str]:
            user = users.find_by_name(tx, name) or users.create(tx, name, roles=[role])
            made = keys.create(tx, "test", user_id=user.id, scopes=scopes)
            return made.text, made.key.id

        self._ensure(tenant)
        text, key_id = self.graph.db.run(make, by=system(TenantId(tenant)))
        return Person(self, text, key_id=key_id)

    def audits(self, tenant: str = DEFAULT_TENANT) -> list[AuditEntry]:
        """Read the audit, the oldest first, once the writer has nothing left to do."""
        by = system(TenantId(tenant))
        self.graph.db.run(_nothing, by=by)
        self.graph.pipeline.floods.flush()
        self.graph.db.run(_nothing, by=by)
        page = self.graph.db.look(
            lambda tx: audit.list_(tx, AuditFilter(), limit=100), by=by
        )
        return list(reversed(page.items))

    def is_intact(self) -> bool:
        """Walk the audit chain."""
        return self.graph.db.look(audit.verify, by=system()).is_intact

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Read every table, but for what notes who asked and which key was used."""
        self.graph.db.run(_nothing, by=system())
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table'"
            )
            names = sorted(row[0] for row in found)
            return {
                name: _rows(connection, name) for name in names if name not in _NOTES
            }

    @property
    def path(self) -> Path:
        """The database file."""
        return self.settings.data / "opswire.db"

    def _ensure(self, tenant: str) -> None:
        def ensure(tx: Tx) -> None:
            try:
                tenants.get_(tx, tenant)
            except NotFound:
                tenants.create(tx, tenant)

        self.graph.db.run(ensure, by=system())


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    kept = [n for n, each in enumerate(cursor.description) if each[0] != "last_used_at"]
    return sorted(tuple(row[n] for n in kept) for row in cursor)


def _nothing(_: Tx) -> None:
    """Wait behind everything that was posted."""
