"""A fake Slack, the channel alone in front of it, and whole gateways."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from pydantic import SecretStr

from channels.base import Delivery, Health
from channels.slack.adapter import SlackAdapter
from channels.slack.channel import SlackChannel
from channels.slack.pages import Pages
from channels.slack.socket import Timing
from channels.slack.teams import Identity, Installation, Teams
from channels.slack.web import Pool
from channels.testing.slack import FakeSlack, SlackMessage
from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Account
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.catalog import Catalog
from core.kernel.clock import SystemClock
from core.kernel.envelope import Envelope
from core.kernel.principal import Assurance, Role, system
from core.kernel.problems import Unavailable
from core.kernel.reply import Reply
from gateway.settings import SlackSettings
from tests.integration.served import Served

ANN, BOB = "U0ANN0001", "U0BOB0001"
OPS, DEV = "C0OPS0001", "C0DEV0001"
PATIENCE_SECONDS = 10.0
QUICK = Timing(ping=0.2, hello=2.0, drain=0.2, first_pause=0.01, longest_pause=0.05)
"""The watchdog a hundred and fifty times faster: half a minute is a fifth of a second."""


class FakeInbox:
    """An inbox in memory, which can be told to fail, or to take its time."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []
        self.tries = 0
        self.is_broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    @property
    def kept(self) -> dict[tuple[str, str, str], Delivery]:
        """What is stored, once under each key."""
        return {(each.account, each.sender, each.key): each for each in self.taken}

    async def take(self, delivery: Delivery) -> bool:
        self.tries += 1
        await self.gate.wait()
        if self.is_broken:
            raise Unavailable("the disk is full")
        is_new = (delivery.account, delivery.sender, delivery.key) not in self.kept
        self.taken.append(delivery)
        return is_new


class FakeInstallations:
    """Tokens by account, and what was noted about them."""

    def __init__(self, **tokens: str) -> None:
        self.tokens = tokens
        self.known: dict[str, Identity] = {}
        self.noted: list[tuple[str, Identity | None, str]] = []

    async def list_(self) -> Sequence[Installation]:
        return [
            Installation(account=name, token=token, identity=self.known.get(name))
            for name, token in self.tokens.items()
        ]

    async def note(self, account: str, identity: Identity | None, fault: str) -> None:
        self.noted.append((account, identity, fault))


class Alone:
    """The channel without a gateway."""

    def __init__(self, fake: FakeSlack, **tokens: str) -> None:
        self.inbox = FakeInbox()
        self.installations = FakeInstallations(**tokens)
        self.pool = Pool(fake.url, deadline=2.0)
        self.teams = Teams(self.installations, self.pool)
        clock = SystemClock()
        self.pages = Pages(_silent, Catalog, clock=clock)
        self.adapter = SlackAdapter(
            self.inbox, self.teams, pages=self.pages, clock=clock
        )

    @asynccontextmanager
    async def running(self, app_token: str) -> AsyncIterator[None]:
        """Run it over Socket Mode, its clockwork much faster than in production."""
        channel = SlackChannel(
            self.adapter, self.teams, self.pool, app_token=app_token, timing=QUICK
        )
        task = asyncio.create_task(channel.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await channel.close()

    def health(self) -> Health:
        [health] = self.teams.healths()
        return health


async def _silent(_: Envelope) -> Reply:
    return Reply(summary="")


async def until(
    is_true: Callable[[], object], *, patience: float = PATIENCE_SECONDS
) -> None:
    """Wait until something holds; polling, because it happens elsewhere."""
    async with asyncio.timeout(patience):
        while not is_true():  # noqa: ASYNC110 (nothing there tells when it happens)
            await asyncio.sleep(0.01)


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    """A Slack of one's own."""
    slack = FakeSlack()
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
async def alone(fake: FakeSlack) -> AsyncIterator[Alone]:
    """The channel, installed into the one workspace of the fake."""
    channel = Alone(fake, default=fake.bot_token)
    yield channel
    await channel.pool.close()


class SlackGateway:
    """A whole gateway, and what people see of it in Slack."""

    def __init__(self, served: Served, fake: FakeSlack) -> None:
        self.served = served
        self.fake = fake

    def link(
        self,
        name: str,
        user: str,
        *,
        account: str = "default",
        role: Role = Role.OPERATOR,
    ) -> None:
        """Make a person and link their Slack account, by the code that both confirm."""

        def make(tx: Tx) -> Any:
            return users.create(tx, name, roles=[role])

        def ask(tx: Tx) -> str:
            sender = Account(channel="slack", account=account, sender=user)
            return links.request(tx, sender).text

        db = self.served.graph.db
        person = db.run(make, by=system())
        code = db.run(ask, by=system())
        db.run(
            lambda tx: links.confirm(tx, code),
            by=to_principal(person, Assurance.SECRET),
        )

    def answers(self, channel: str = "") -> list[SlackMessage]:
        """List what was answered in the first workspace."""
        return self.fake.messages(channel)

    async def answered(self, count: int = 1, channel: str = "") -> list[SlackMessage]:
        """Wait for that many answers."""
        await until(lambda: len(self.answers(channel)) >= count)
        return self.answers(channel)

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        with closing(self._database()) as database:
            [found] = database.execute(f"SELECT count(*) FROM {table}").fetchone()
            return int(found)

    def dump(self) -> str:
        """Write out every row there is."""
        with closing(self._database()) as database:
            return "\n".join(database.iterdump())

    def execute(self, statement: str) -> None:
        """Change rows behind the gateway's back."""
        path = self.served.graph.settings.data / "opswire.db"
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute(statement)

    def _database(self) -> sqlite3.Connection:
        path = self.served.graph.settings.data / "opswire.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


ServeSlack = Callable[..., Awaitable[SlackGateway]]


@pytest.fixture
async def serve_slack(
    fake: FakeSlack, serving: Callable[..., Awaitable[Served]]
) -> ServeSlack:
    """Start a gateway that is connected to the fake, over a socket or signed HTTP."""

    async def start(*, is_http: bool = False, **settings: Any) -> SlackGateway:
        slack = {
            "bot_token": SecretStr(fake.bot_token),
            "app_token": SecretStr("" if is_http else fake.app_token),
            "signing_secret": SecretStr(fake.signing_secret),
            "api_url": fake.url,
            **settings,
        }
        served = await serving(
            slack=SlackSettings(**slack), base_url="http://ops.example"
        )
        if is_http:
            fake.outside.events_url = f"http://127.0.0.1:{served.port}/slack/events"
        else:
            await fake.sockets.wait_open()
        await until(lambda: "auth.test" in fake.calls)
        return SlackGateway(served, fake)

    return start
