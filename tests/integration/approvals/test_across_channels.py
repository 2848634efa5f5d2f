"""Asked for in Slack, approved by a mail's answer, seen in the terminal: all for real."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path

import pytest
from pydantic import SecretStr

from channels.testing.mailbox import Letter, MailboxSimulator, parse
from channels.testing.slack import FakeSlack, SlackMessage
from channels.testing.slack.workspace import dm_of
from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Account
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance, Role, system
from core.workspaces.model import DEFAULT_ACCOUNT
from gateway.settings import EmailSettings, SlackSettings
from tests.integration.conftest import Serving
from tests.integration.served import ADMIN_KEY, PATIENCE_SECONDS, Served

ROOT = Path(__file__).parents[3]
OPS, ROOM, ANN, CAROL = "ops@example.org", "C0OPS0001", "U0ANN0001", "U0CAR0001"
ANN_MAIL, BOB_MAIL = "ann@example.org", "bob@example.org"


class World:
    """A gateway with a Slack and a mailbox, where ann, bob and the admin are at home."""

    def __init__(
        self, gateway: Served, slack: FakeSlack, mail: MailboxSimulator
    ) -> None:
        self.gateway = gateway
        self.slack = slack
        self.mail = mail

    async def admin(self, line: str) -> dict[str, object]:
        """Say something over HTTP."""
        async with self.gateway.client() as client:
            answer = await client.post("/v1/commands", json={"line": line})
        return dict(answer.json())

    async def terminal(self, *words: str) -> dict[str, object]:
        """Run `ops … -o json` as the admin."""
        environ = {
            **os.environ,
            "OPSWIRE_URL": f"http://127.0.0.1:{self.gateway.port}",
            "OPSWIRE_API_KEY": ADMIN_KEY,
        }
        done = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", *words, "-o", "json",
            cwd=ROOT, env=environ, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, _ = await done.communicate()
        return dict(json.loads(out))

    async def shown(self, text: str) -> SlackMessage:
        """Wait for a message in Slack that begins like this."""
        await until(lambda: any(self._found(text)))
        return self._found(text)[-1]

    async def mailed(self, to: str, text: str) -> tuple[bytes, EmailMessage]:
        """Wait for a mail that says this, in its subject or below it."""
        await until(lambda: bool(self._mails(to, text)))
        return self._mails(to, text)[-1]

    def write(self, sender: str, text: str, *, answers: bytes = b"") -> None:
        """Write a mail to the gateway, or answer one of its mails as programs do."""
        to, subject = OPS, "a decision"
        if answers:
            answered = parse(answers)
            to = parseaddr(str(answered["Reply-To"]))[1]
            subject = f"Re: {answered['Subject']}"
        letter = Letter(
            sender=sender, to=to, subject=subject, text=text, answers=answers
        )
        self.mail.write(letter)

    def direct(self, user: str) -> list[SlackMessage]:
        """List what somebody was written directly."""
        answers = self.slack.home.answers()
        return [each for each in answers if each.channel in (user, dm_of(user))]

    def link(self, name: str, role: Role, *accounts: Account) -> None:
        """Make a person with accounts, each linked from both sides."""

        def make(tx: Tx) -> User:
            return users.create(tx, name, roles=[role])

        def link(tx: Tx, account: Account) -> None:
            code = links.request(tx, account)
            tx.principal = to_principal(user, Assurance.SECRET)
            links.confirm(tx, code.text)

        db = self.gateway.graph.db
        user = db.run(make, by=system())
        for account in accounts:
            db.run(lambda tx, account=account: link(tx, account), by=system())  # type: ignore[misc]

    def _found(self, text: str) -> list[SlackMessage]:
        return [
            each for each in self.slack.home.answers() if each.text.startswith(text)
        ]

    def _mails(self, to: str, text: str) -> list[tuple[bytes, EmailMessage]]:
        received = ((each.raw, each.mail) for each in self.mail.received(to))
        return [(raw, mail) for raw, mail in received if text in _said(mail)]


def _said(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return f"{mail['Subject']}\n{body.get_content() if body else ''}"


@pytest.fixture
async def world(serving: Serving) -> AsyncIterator[World]:
    """Everything, up and connected."""
    slack, mail = FakeSlack(), MailboxSimulator()
    slack.home.users |= {ANN: "ann", CAROL: "carol"}
    await slack.start()
    await mail.start()
    gateway = await serving(
        slack=SlackSettings(
            bot_token=SecretStr(slack.bot_token),
            app_token=SecretStr(slack.app_token),
            signing_secret=SecretStr(slack.signing_secret),
            api_url=slack.url,
        ),
        email=EmailSettings(
            address=OPS,
            imap_url=SecretStr(mail.imap_url(OPS)),
            smtp_url=SecretStr(mail.smtp_url(OPS)),
            authserv_id=mail.authserv_id,
        ),
    )
    await slack.sockets.wait_open()
    built = World(gateway, slack, mail)
    built.link("ann", Role.OPERATOR, _in_slack(ANN), _by_mail(ANN_MAIL))
    built.link("bob", Role.OPERATOR, _by_mail(BOB_MAIL))
    built.link("carol", Role.OPERATOR, _in_slack(CAROL))
    yield built
    await slack.stop()
    await mail.stop()


def _in_slack(user: str) -> Account:
    return Account(channel="slack", account=DEFAULT_ACCOUNT, sender=user)


def _by_mail(address: str) -> Account:
    return Account(channel="email", account=OPS, sender=address)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; polling, because it happens elsewhere."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110 (nothing there tells when it happens)
            await asyncio.sleep(0.01)


def labelled(message: SlackMessage, label: str) -> int:
    """Find a button by what it says."""
    return [each["text"]["text"] for each in message.buttons()].index(label)


async def asked_in_slack(world: World) -> SlackMessage:
    """Have ann ask for something risky that a rule is over, and confirm it."""
    await world.admin("approval rule set 'lease reclaim' --need 1 --role operator")
    await world.admin("lease acquire deploy-prod --ttl 15m")
    await world.slack.people.slash(ANN, ROOM, "lease reclaim L-1 --reason drill")
    asked = await world.shown("Confirm: lease reclaim L-1")
    await world.slack.people.press(ANN, asked, labelled(asked, "Confirm"))
    return await world.shown("AP-1 waits for another person")


async def test_asked_in_slack_approved_by_mail_seen_in_the_terminal(
    world: World,
) -> None:
    """M-OMN, R-60: and the requester's other account cannot approve it."""
    await asked_in_slack(world)
    notice, _ = await world.mailed(BOB_MAIL, "[AP-1]")

    world.write(ANN_MAIL, "!approve AP-1\n")
    _, refusal = await world.mailed(ANN_MAIL, "Somebody else has to approve this")
    before = await world.terminal("lease", "show", "L-1")
    world.write(BOB_MAIL, "!approve this\n", answers=notice)
    done = await world.shown("Reclaimed L-1")
    after = await world.terminal("approval", "show", "AP-1")

    assert refusal["To"] == ANN_MAIL
    assert before["holder"] == "admin"
    assert done.channel == ROOM
    assert (after["status"], after["outcome"]) == ("ran", "ok")
    assert [each["person"] for each in after["votes"]] == ["bob"]  # type: ignore[attr-defined]
    assert [each["channel"] for each in after["votes"]] == ["email"]  # type: ignore[attr-defined]


async def test_an_approval_by_mail_is_void_once_the_target_has_changed(
    world: World,
) -> None:
    """M-OMN: both hear of it, and nothing runs."""
    await asked_in_slack(world)
    notice, _ = await world.mailed(BOB_MAIL, "[AP-1]")
    await world.admin("lease release L-1 --fence 1")
    await world.admin("lease acquire deploy-prod --ttl 15m")

    world.write(BOB_MAIL, "!approve AP-1\n", answers=notice)
    await world.mailed(BOB_MAIL, "The approval is void")
    await world.shown("AP-1 is void, because what it is about has changed")

    shown = await world.terminal("approval", "show", "AP-1")
    assert (shown["status"], shown["given"]) == ("void", 0)


async def test_a_button_in_a_direct_message_approves_and_then_goes(
    world: World,
) -> None:
    """M-OMN: the message that asked says afterwards how it was decided."""
    await asked_in_slack(world)
    notice = await world.shown("ann asks you to approve AP-1")

    pressed = await world.slack.people.press(
        CAROL, notice, labelled(notice, "Approve AP-1")
    )
    await world.shown("Reclaimed L-1")
    await until(lambda: "asks you" not in world.direct(CAROL)[0].text)

    assert pressed.is_ok
    labels = [each["text"]["text"] for each in world.direct(CAROL)[0].buttons()]
    assert labels == ["Show"]
