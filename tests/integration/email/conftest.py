"""Gateways that read mailboxes of the built-in mail server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from channels.email.adapter import MailReader, Pace
from channels.testing.mailbox import Letter, MailboxSimulator, Received
from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Account
from core.identity.users import service as users
from core.kernel.principal import Role, system
from gateway.doors.loaded import LoadedLater
from gateway.settings import EmailSettings
from tests.integration.served import PATIENCE_SECONDS, Served

OPS, ANN, EVE = "ops@example.org", "ann@example.org", "eve@example.org"

# Everything a reader waits for, a hundred times as often as in earnest.
FAST = Pace(idle=0.3, first_pause=0.02, longest_pause=0.1, turn=0.1)

Mailed = Callable[..., Awaitable["Post"]]


class Post:
    """A gateway with a mailbox, and the people who write to it."""

    def __init__(
        self, gateway: Served, mailbox: MailboxSimulator, address: str
    ) -> None:
        self.gateway = gateway
        self.mailbox = mailbox
        self.address = address

    def write(
        self, text: str, *, by: str = ANN, subject: str = "hello", **more: Any
    ) -> None:
        """Write a mail to the gateway."""
        self.mailbox.write(
            Letter(sender=by, to=self.address, subject=subject, text=text, **more)
        )

    async def answers(self, count: int, *, to: str = ANN) -> list[Received]:
        """Wait until somebody has received that many mails."""
        await until(lambda: len(self.mailbox.received(to)) >= count)
        return self.mailbox.received(to)

    async def settle(self) -> None:
        """Wait until every mail that arrived has been run and answered."""
        last = self.mailbox.folder(self.address).uid_next - 1
        await until(lambda: self.cursor() >= last)
        await self.gateway.graph.intake.settle()

    def cursor(self) -> int:
        """Read up to which number the gateway has read."""
        return int(self.ask("SELECT COALESCE(MAX(uid), 0) FROM mail_cursors")[0][0])

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with self.gateway.graph.db.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def titles(self) -> list[str]:
        """List the titles of all tasks, each as often as it was created."""
        return [
            str(row[0]) for row in self.ask("SELECT title FROM tasks ORDER BY title")
        ]

    def verdicts(self) -> list[tuple[str, str]]:
        """List what was decided about mails: verdict and reason."""
        return [
            (str(verdict), str(reason))
            for verdict, reason in self.ask(
                "SELECT verdict, reason FROM audit_events WHERE channel = 'email'"
            )
        ]


async def until(is_so: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(patience):
        while not is_so():  # noqa: ASYNC110 - what it looks at rings no bell
            await asyncio.sleep(0.01)


def link(gateway: Served, address: str, *, account: str = OPS) -> None:
    """Make a person who may write from an address, linked from both sides."""
    wanted = Account(channel="email", account=account, sender=address)
    code = gateway.graph.db.run(lambda tx: links.request(tx, wanted), by=system())
    confirm(gateway, address.partition("@")[0], code.text)


def confirm(gateway: Served, name: str, code: str) -> None:
    """Make a person who types the code of their account."""

    def work(tx: Tx) -> None:
        user = users.create(tx, name, roles=[Role.ADMIN])
        tx.principal = replace(system(), id=user.id, name=user.name)
        links.confirm(tx, code)

    gateway.graph.db.run(work, by=system())


@pytest.fixture
async def mailbox() -> AsyncIterator[MailboxSimulator]:
    """A built-in mail server."""
    simulator = MailboxSimulator()
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def mailed(mailbox: MailboxSimulator, tmp_path: Path) -> AsyncIterator[Mailed]:
    """Start gateways with a mailbox each; ann is linked at every one of them."""
    gateways: list[Served] = []

    async def start(
        address: str = OPS, *, data: str = "", port: int = 8000, **email: Any
    ) -> Post:
        settings = {
            "address": address,
            "imap_url": mailbox.imap_url(address),
            "smtp_url": mailbox.smtp_url(address),
            "authserv_id": mailbox.authserv_id,
            **email,
        }
        gateway = Served(
            tmp_path / (data or f"gateway-{len(gateways)}"),
            port=port,  # by which one gateway on a machine is told from another
            email=EmailSettings(**settings),
        )
        await hasten(gateway)
        if not data:  # otherwise another gateway has linked her in this database
            link(gateway, ANN, account=address)
        await gateway.start()
        gateways.append(gateway)
        return Post(gateway, mailbox, address)

    yield start
    for gateway in gateways:
        await gateway.stop()


async def hasten(gateway: Served) -> None:
    """Have the mailbox looked at more often."""
    for reader in await readers_of(gateway):
        reader.pace = FAST
        reader.connect = partial(reader.connect, deadline=0.4)


async def readers_of(gateway: Served) -> list[MailReader]:
    """Find who reads the mailboxes of a gateway."""
    found = []
    for door in gateway.graph.doors:
        if isinstance(door.channel, LoadedLater):
            reader = (await door.channel.load()).channel
            assert isinstance(reader, MailReader)
            found.append(reader)
    return found


@pytest.fixture
async def post(mailed: Mailed) -> Post:
    """A gateway with a mailbox."""
    return await mailed()
