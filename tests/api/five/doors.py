"""What every door does in a test: let the admin say a line, and give the whole Reply."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import orjson
from pydantic import SecretStr
from sqlalchemy import select

from channels.base import Link, Parcel
from channels.testing.mailbox import MailboxSimulator
from channels.testing.slack import FakeSlack
from core.database import Tx
from core.delivery.outbox.tables import outbox
from core.identity.links import service as links
from core.identity.links.model import Account, Identity
from core.identity.logins import service as logins
from core.identity.users import service as users
from core.kernel.outgoing import Lane
from core.kernel.principal import Principal, system
from core.kernel.reply import reply_from_json
from core.workspaces.model import DEFAULT_ACCOUNT
from gateway.doors.door import Door
from gateway.doors.loaded import LoadedLater
from gateway.settings import EmailSettings, SlackSettings
from tests.api.conftest import Serve
from tests.api.gateway import Gateway, Person
from tests.conftest import FakeClock

MAILBOX = "ops@example.org"
SLACK_USER = "U0ADMIN01"
SLACK_STRANGER = "U0EVE0001"
ADDRESS = "admin@example.org"
ENDPOINT = "parity"

Reply = dict[str, Any]


class Street:
    """A gateway with all channels set up, and the outside world around it.

    Shape:  `admin` is signed in with a session, for an API key would tell itself apart
            in `whoami`; the same person has an account in Slack and one by mail.
    """

    def __init__(self, gateway: Gateway, slack: FakeSlack, mail: MailboxSimulator):
        self.gateway = gateway
        self.slack = slack
        self.mail = mail
        self.admin = gateway.admin

    @property
    def doors(self) -> dict[str, Door]:
        return {door.spec.name: door for door in self.gateway.graph.doors}

    async def settle(self) -> None:
        """Wait until everything that was stored has been run."""
        await self.gateway.graph.intake.settle()

    async def sign_in(self) -> None:
        """Sign the admin in, and link both accounts in the way everybody does it."""
        graph = self.gateway.graph
        token = graph.db.run(_login_link, by=system())
        answer = await self.gateway.auth("login", {"token": token})
        self.token = answer.body["access_token"]
        self.admin = Person(self.gateway, self.token)
        for channel, account, sender in (
            ("slack", DEFAULT_ACCOUNT, SLACK_USER),
            ("email", MAILBOX, ADDRESS),
        ):
            link_of = Account(channel=channel, account=account, sender=sender)
            code = graph.db.run(_code_for(link_of), by=system()).text
            linked = graph.db.run(_confirm(code), by=await self._principal())
            assert isinstance(linked, Identity)

    async def _principal(self) -> Principal:
        return await self.gateway.graph.auth.authenticate(f"Bearer {self.token}")

    async def delivered(self, channel: str) -> Reply:
        """Deliver what was posted last to a channel, and give the reply it is."""
        row = self.gateway.graph.db.look(_newest(channel), by=system())
        reply: Reply = orjson.loads(row["body"])
        parcel = Parcel(
            id=row["key"],
            account=row["account"],
            place=orjson.loads(row["place"]),
            reply=reply_from_json(reply),
            lane=Lane(row["lane"]),
        )
        await self.doors[channel].courier.deliver(parcel)
        return reply


@asynccontextmanager
async def street(serve: Serve, clock: FakeClock) -> AsyncIterator[Street]:
    """Set everything up, with a Slack and a mail server of its own."""
    slack = FakeSlack(now=lambda: clock.now().timestamp())
    slack.home.users |= {SLACK_USER: "admin", SLACK_STRANGER: "eve"}
    mail = MailboxSimulator()
    await slack.start()
    await mail.start()
    gateway = serve(slack=_slack_settings(slack), email=_email_settings(mail))
    built = Street(gateway, slack, mail)
    slack_door = built.doors["slack"]
    assert slack_door.channel is not None
    listening = asyncio.create_task(slack_door.channel.run())
    gateway.graph.intake.start()
    try:
        await _connected(slack_door)
        await slack.sockets.wait_open()
        courier = built.doors["email"].courier
        assert isinstance(courier, LoadedLater)
        await courier.load()
        await built.sign_in()
        yield built
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        await gateway.stop()
        await slack.stop()
        await mail.stop()


async def _connected(door: Door) -> None:
    async with asyncio.timeout(10):
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


def _login_link(tx: Tx) -> str:
    return logins.create_link(tx, users.ensure_admin(tx).id).token


def _code_for(account: Account) -> Any:
    return lambda tx: links.request(tx, account)


def _confirm(code: str) -> Any:
    return lambda tx: links.confirm(tx, code)


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
