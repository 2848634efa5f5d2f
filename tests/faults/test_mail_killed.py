"""kill -9 while mails come in: each is run once, and answered with one reply."""

import asyncio
import random
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from channels.testing.mailbox import Letter, MailboxSimulator
from tests.faults.gateway import GatewayProcess, client, send
from tests.integration.email.conftest import ANN, OPS, until

MAILS, KILLS = 12, 4


class MailGateway(GatewayProcess):
    """A gateway in a process of its own that reads a mailbox of the test."""

    def __init__(self, data: Path, mailbox: MailboxSimulator) -> None:
        super().__init__(data)
        self._mailbox = mailbox

    def _settings(self) -> Mapping[str, str]:
        return {
            **super()._settings(),
            "OPSWIRE_EMAIL__ADDRESS": OPS,
            "OPSWIRE_EMAIL__IMAP_URL": self._mailbox.imap_url(OPS),
            "OPSWIRE_EMAIL__SMTP_URL": self._mailbox.smtp_url(OPS),
            "OPSWIRE_EMAIL__AUTHSERV_ID": self._mailbox.authserv_id,
        }

    def titles(self) -> list[str]:
        """List the titles of all tasks, each as often as it was created."""
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT title FROM tasks ORDER BY title")
            found = [str(row[0]) for row in rows]
        engine.dispose()
        return found


@pytest.fixture
async def mailbox() -> AsyncIterator[MailboxSimulator]:
    simulator = MailboxSimulator()
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
def gateway(tmp_path: Path, mailbox: MailboxSimulator) -> Iterator[MailGateway]:
    gateway = MailGateway(tmp_path / "gateway", mailbox)
    yield gateway
    gateway.end()


def write(mailbox: MailboxSimulator, text: str) -> None:
    mailbox.write(Letter(sender=ANN, to=OPS, subject="hello", text=text))


async def link(gateway: MailGateway, mailbox: MailboxSimulator) -> None:
    """Link ann's address to the admin, by the code that a mail brings her."""
    write(mailbox, "!link")
    await until(lambda: bool(mailbox.received(ANN)))
    body = mailbox.received(ANN)[0].mail.get_body(("plain",))
    assert body is not None
    code = re.search(r"\b[A-Z0-9]{8}\b", body.get_content())
    assert code is not None
    async with client() as http:
        answer = await send(http, gateway.url, f"link {code[0]}")
        assert answer.status_code == 200, answer.text


async def test_killed_gateway_runs_each_mail_once(
    gateway: MailGateway, mailbox: MailboxSimulator
) -> None:
    await asyncio.to_thread(gateway.start)
    await link(gateway, mailbox)

    for number in range(MAILS):
        write(mailbox, f"!task create {number:02}")
        if number % (MAILS // KILLS) == 1:
            await asyncio.sleep(random.uniform(0, 0.2))
            gateway.kill()
            await asyncio.to_thread(gateway.start)
    await until(lambda: len(gateway.titles()) >= MAILS)

    replies: dict[str, set[str]] = defaultdict(set)
    for each in mailbox.received(ANN):
        replies[str(each.mail["In-Reply-To"])].add(str(each.mail["Message-ID"]))
    assert gateway.titles() == [f"{number:02}" for number in range(MAILS)]
    assert all(len(ids) == 1 for ids in replies.values())
