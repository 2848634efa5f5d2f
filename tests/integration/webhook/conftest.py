"""A gateway's webhook road on a real database, and senders that use the library."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import bindparam, func, select
from standardwebhooks import Webhook
from starlette.applications import Starlette

from commands.everything import COMMANDS
from commands.registry import Registry, command
from commands.webhooks import webhook_commands
from core.audit.tables import audit_events
from core.collab import tasks
from core.collab.tasks import Task, TaskFilter
from core.database import METADATA, Database, Prepared, Tx, open_engine
from core.delivery.tables import inbox
from core.hooks import service as hooks
from core.hooks.model import Endpoint, HookAuth, NewEndpoint, PayloadMap
from core.identity.tenants import service as tenants
from core.identity.tokens import SigningKeys, Tokens
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import (
    DEFAULT_TENANT,
    Assurance,
    Principal,
    Role,
    TenantId,
    system,
)
from core.kernel.reply import Reply
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from gateway.aliases import TeamAliases
from gateway.auth import Authenticator
from gateway.channel_states import ChannelStates
from gateway.floods import Floods
from gateway.gate import Gate
from gateway.hooks import HookSource
from gateway.http.webhook import Verifier, WebhookDoor
from gateway.intake import Intake
from gateway.limits import Limiter
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.recording import recorded
from gateway.runner import Runner
from gateway.senders import LinkedSenders
from tests.conftest import FakeClock

ACME = TenantId("acme")
ALERTS = PayloadMap(command="task create", arguments={"title": "title"})

_COUNTS = {
    table.name: Prepared(
        select(func.count())
        .select_from(table)
        .where(table.c.tenant_id == bindparam("tenant"))
    )
    for table in (inbox, audit_events)
}


@command("probe fail", scope="tasks:write", danger="write")
def fail(ctx: Any) -> Reply:
    """Fail in a way that nobody foresaw."""
    raise RuntimeError("a fault of ours")


def _nothing(_: Tx) -> None:
    """Wait for everything that was posted before."""


class World:
    """Everything one gateway has, as far as webhooks need it."""

    def __init__(self, db: Database, clock: FakeClock, folder: Path) -> None:
        self.db = db
        self.clock = clock
        self.vault = Vault(FileKeystore(folder / "keystore.json"))
        self.registry = Registry.of((*COMMANDS, *webhook_commands(self.vault), fail))
        self.limiter = Limiter("1000/minute")
        self.channels = ChannelStates(db, self.limiter)
        gate = Gate(
            self.registry,
            senders=LinkedSenders(db, lambda *_: DEFAULT_TENANT),
            channels=self.channels,
            aliases=TeamAliases(db),
            limiter=self.limiter,
            clock=clock,
        )
        self.pipeline = Pipeline(
            db,
            gate,
            Runner(self.registry, public_url="https://ops.example"),
            floods=Floods(db, clock),
            metrics=Metrics(),
        )
        keys = SigningKeys(current="k1", secrets={"k1": b"1" * 32})
        self.auth = Authenticator(db, Tokens(lambda: keys), clock=clock)
        self.intake = self.new_intake()

    def new_intake(self) -> Intake:
        """Make an intake as another process on this database would have it."""
        return Intake(
            self.db,
            self.pipeline,
            sources={"webhook": HookSource(self.db, self.registry)},
            tenants=self.tenants,
        )

    async def tenants(self) -> list[TenantId]:
        """Name the tenants of this test."""
        return [DEFAULT_TENANT, ACME]

    def client(self, intake: Intake | None = None) -> httpx2.AsyncClient:
        """Make a client of a gateway with this intake."""
        door = WebhookDoor(
            self.pipeline,
            intake or self.intake,
            Verifier(self.db, self.auth, vault=self.vault, clock=self.clock),
            clock=self.clock,
            public_url="https://ops.example",
        )
        transport = httpx2.ASGITransport(app=Starlette(routes=[door.route]))
        return httpx2.AsyncClient(transport=transport, base_url="http://gateway")

    def user(
        self, name: str, role: Role, tenant: TenantId = DEFAULT_TENANT
    ) -> Principal:
        """Create a user and act as one."""
        user: User = self.db.run(
            lambda tx: users.create(tx, name, roles=[role]), by=system(tenant)
        )
        return to_principal(user, Assurance.SECRET)

    def endpoint(
        self,
        by: Principal,
        payload_map: PayloadMap = ALERTS,
        *,
        name: str = "alerts",
        auth: HookAuth = HookAuth.STANDARD,
    ) -> NewEndpoint:
        """Create an endpoint through the service."""
        return self.db.run(
            lambda tx: hooks.create(
                tx, name, [payload_map], auth=auth, vault=self.vault
            ),
            by=by,
        )

    def tasks(self, tenant: TenantId = DEFAULT_TENANT) -> list[Task]:
        """Read all tasks, the oldest first."""
        page = self.db.look(
            lambda tx: tasks.list_(tx, TaskFilter(), limit=100), by=system(tenant)
        )
        return sorted(page.items, key=lambda each: int(each.id[2:]))

    def count(self, table: str, tenant: TenantId = DEFAULT_TENANT) -> int:
        """Count the rows of a table once the writer has nothing left to do."""
        self.db.run(_nothing, by=system(tenant))
        rows = self.db.look(lambda tx: tx.run(_COUNTS[table]), by=system(tenant))
        return int(rows[0][0])

    def audits(self, tenant: TenantId = DEFAULT_TENANT) -> list[dict[str, Any]]:
        """Read what the audit says, the oldest first."""
        self.db.run(_nothing, by=system(tenant))
        query = (
            select(audit_events)
            .where(audit_events.c.tenant_id == tenant)
            .order_by(audit_events.c.seq)
        )
        return self.db.look(
            lambda tx: [dict(row._mapping) for row in tx.execute(query)],
            by=system(tenant),
        )


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    """A database that also keeps an inbox."""
    engine = open_engine(f"sqlite:///{tmp_path}/ops.db")
    METADATA.create_all(engine)
    database = recorded(engine, clock=clock)
    yield database
    database.close()


@pytest.fixture
def world(db: Database, clock: FakeClock, tmp_path: Path) -> World:
    """A gateway with the default tenant and another one."""
    db.run(tenants.ensure_default, by=system())
    db.run(lambda tx: tenants.create(tx, ACME), by=system())
    return World(db, clock, tmp_path)


@pytest.fixture
def person(world: World) -> Principal:
    """Ann, who administers the default tenant, though not alone."""
    world.user("root", Role.ADMIN)
    return world.user("ann", Role.ADMIN)


@pytest.fixture
async def running(world: World) -> AsyncIterator[World]:
    """The same gateway with its workers at work."""
    world.intake.start()
    yield world
    await world.intake.stop()


def signed(
    new: NewEndpoint,
    body: bytes,
    *,
    message_id: str = "msg_1",
    at: datetime,
    secret: str = "",
) -> dict[str, str]:
    """Sign a body as a sender does, with the library's own code."""
    moment = at.astimezone(UTC)
    hook = Webhook(secret or new.secret)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": hook.sign(message_id, moment, body.decode()),
    }


Deliver = Callable[..., Any]


@pytest.fixture
async def deliver(world: World) -> AsyncIterator[Deliver]:
    """Send a JSON payload, signed, to an endpoint, and return the response."""
    async with world.client() as client:

        async def send(
            new: NewEndpoint, payload: object, *, message_id: str = "msg_1"
        ) -> httpx2.Response:
            body = json.dumps(payload).encode()
            return await client.post(
                address_of(new.endpoint),
                content=body,
                headers=signed(new, body, message_id=message_id, at=world.clock.now()),
            )

        yield send


def address_of(endpoint: Endpoint) -> str:
    """Write where an endpoint of the default tenant is delivered to."""
    return f"/v1/channels/webhook/{endpoint.name}"


async def settled(world: World) -> None:
    """Wait, for a bounded time, until the workers have nothing left."""
    await asyncio.wait_for(world.intake.settle(), timeout=10)
