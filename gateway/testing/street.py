"""A gateway with all channels set up, and people who have an account on each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import SecretStr
from sqlalchemy import select

from channels.base import Link, Parcel
from channels.testing.mailbox import MailboxSimulator
from channels.testing.slack import FakeSlack
from core.database import Tx
from core.delivery.outbox.tables import outbox
from core.identity.links.model import Account, Identity
from core.identity.logins import service as logins
from core.kernel.clock import Clock, SystemClock
from core.kernel.outgoing import Lane
from core.kernel.principal import Principal, Role, system
from core.kernel.reply import reply_from_json
from core.workspaces.model import DEFAULT_ACCOUNT
from gateway.doors.door import Door
from gateway.doors.loaded import LoadedLater
from gateway.settings import EmailSettings, SlackSettings
from gateway.testing.gateway import Gateway, Person
from gateway.testing.people import link, somebody

MAILBOX = "ops@example.org"
PATIENCE_SECONDS = 20.0

# A Reply as it is told: JSON, the same on every channel.
Told = dict[str, Any]
# Starts a gateway whose channels lead to the two simulators.
Serve = Callable[[SlackSettings, EmailSettings], Gateway]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody on the street: `slack` is their id there, `address` where they write from.

    Shape:  `token` is a session's, for an API key would tell itself apart in `whoami`.
    """

    name: str
    token: str
    slack: str
    address: str


class Street:
    """A gateway with all channels set up, and the outside world around it."""

    def __init__(self, gateway: Gateway, slack: FakeSlack, mail: MailboxSimulator):
        self.gateway = gateway
        self.slack = slack
        self.mail = mail

    @property
    def doors(self) -> Mapping[str, Door]:
        """The channels whose senders are accounts elsewhere, by name."""
        return {door.spec.name: door for door in self.gateway.graph.doors}

    async def settle(self) -> None:
        """Wait until everything that was stored has been run."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.gateway.graph.intake.settle()

    async def move_in(self, name: str, *roles: Role) -> Resident:
        """Bring somebody in, signed in and linked in the way everybody is."""
        graph = self.gateway.graph
        link = graph.db.run(lambda tx: _login_link(tx, name, *roles), by=system())
        answer = await self.gateway.auth("login", {"token": link})
        resident = Resident(
            name=name,
            token=answer.body["access_token"],
            slack=f"U0{name.upper()}01",
            address=f"{name}@example.org",
        )
        self.slack.home.users[resident.slack] = name
        for account in _accounts(resident):
            graph.db.run(_linking(account, name), by=system())
        return resident

    async def principal(self, who: Resident) -> Principal:
        """Tell what somebody may do, as the gateway finds it out."""
        return await self.gateway.graph.auth.authenticate(f"Bearer {who.token}")

    def over_http(self, who: Resident) -> Person:
        """Give the way in which somebody asks over HTTP."""
        return Person(self.gateway, who.token)

    async def delivered(self, channel: str) -> Told:
        """Deliver what was posted last to a channel, and give the reply it is."""
        row = self.gateway.graph.db.look(_newest(channel), by=system())
        told: Told = orjson.loads(row["body"])
        parcel = Parcel(
            id=row["key"],
            account=row["account"],
            place=orjson.loads(row["place"]),
            reply=reply_from_json(told),
            lane=Lane(row["lane"]),
        )
        await self.doors[channel].courier.deliver(parcel)
        return told


@asynccontextmanager
async def street(serve: Serve, *, clock: Clock | None = None) -> AsyncIterator[Street]:
    """Set everything up, with a Slack and a mail server of its own."""
    ticking = clock or SystemClock()
    slack = FakeSlack(now=lambda: ticking.now().timestamp())
    mail = MailboxSimulator()
    await slack.start()
    await mail.start()
    gateway = serve(_slack_settings(slack), _email_settings(mail))
    built = Street(gateway, slack, mail)
    slack_door = built.doors["slack"]
    assert slack_door.channel is not None
    listening = asyncio.create_task(slack_door.channel.run())
    await gateway.graph.plugins.start()
    gateway.graph.intake.start()
    try:
        await _connected(slack_door)
        await slack.sockets.wait_open()
        courier = built.doors["email"].courier
        assert isinstance(courier, LoadedLater)
        await courier.load()
        yield built
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await gateway.stop()
        await slack.stop()
        await mail.stop()


async def _connected(door: Door) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(each.link is Link.CONNECTED for each in door.healths()):  # noqa: ASYNC110 - a health rings no bell
            await asyncio.sleep(0.002)


def _slack_settings(slack: FakeSlack) -> SlackSettings:
    return SlackSettings(
        bot_token=SecretStr(slack.bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=SecretStr(slack.signing_secret),
        api_url=slack.url,
    )


def _email_settings(mail: MailboxSimulator) -> EmailSettings:
    return EmailSettings(
        address=MAILBOX,
        imap_url=SecretStr(mail.imap_url(MAILBOX)),
        smtp_url=SecretStr(mail.smtp_url(MAILBOX)),
        authserv_id=mail.authserv_id,
    )


def _accounts(who: Resident) -> tuple[Account, ...]:
    return (
        Account(channel="slack", account=DEFAULT_ACCOUNT, sender=who.slack),
        Account(channel="email", account=MAILBOX, sender=who.address),
    )


def _login_link(tx: Tx, name: str, *roles: Role) -> str:
    return logins.create_link(tx, somebody(tx, name, *roles).id).token


def _linking(account: Account, name: str) -> Callable[[Tx], Identity]:
    return lambda tx: link(tx, account, somebody(tx, name))


def _newest(channel: str) -> Any:
    def read(tx: Tx) -> dict[str, Any]:
        query = (
            select(outbox)
            .where(outbox.c.tenant_id == tx.tenant, outbox.c.channel == channel)
            .order_by(outbox.c.number.desc())
            .limit(1)
        )
        return dict(tx.execute(query).one()._mapping)

    return read
