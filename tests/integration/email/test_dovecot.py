"""R-14: against a real Dovecot and a real SMTP server on loopback."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from channels.email.imap import connect
from channels.email.mailbox import MailboxLost
from channels.email.servers import Tls, parse_imap
from channels.testing.mailbox import Letter, MailboxSimulator, compose
from tests.integration.email.conftest import (
    ANN,
    OPS,
    Mailed,
    Post,
    readers_of,
    until,
)
from tests.integration.email.dovecot import (
    DeliveredToDovecot,
    Dovecot,
    dovecot_for,
    submit,
)


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with dovecot_for(OPS) as server:
        yield server


@pytest.fixture
async def mailbox(dovecot: Dovecot) -> AsyncIterator[MailboxSimulator]:
    """The mail server in front: SMTP for everybody, who hands our mail to Dovecot."""
    simulator = MailboxSimulator(DeliveredToDovecot(dovecot, OPS))
    simulator.boxes.passwords[ANN] = "her own"
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture
async def post(mailed: Mailed, dovecot: Dovecot) -> Post:
    return await mailed(imap_url=dovecot.url(OPS))


async def send(post: Post, text: str) -> None:
    """Send a mail by SMTP, as ann's mail program does."""
    mail = compose(Letter(sender=ANN, to=OPS, subject="hello", text=text))
    port = post.mailbox.smtp.port
    await asyncio.to_thread(submit, port, mail, user=ANN, password="her own")


async def test_idle_brings_a_mail_long_before_the_next_look(post: Post) -> None:
    """The first mail ends the quick looks; only a word of Dovecot's brings the second."""
    for reader in await readers_of(post.gateway):
        reader.pace = replace(reader.pace, idle=600)
    await send(post, "!task create One")
    await post.answers(1)

    await send(post, "!task create Two")
    answers = await post.answers(2)

    assert post.titles() == ["One", "Two"]
    asked = post.mailbox.received(OPS)
    assert [each.mail["In-Reply-To"] for each in answers] == [
        each.mail["Message-ID"] for each in asked
    ]


async def test_killed_and_restarted_server_loses_nothing_and_repeats_nothing(
    post: Post, dovecot: Dovecot
) -> None:
    for number in range(3):
        await send(post, f"!task create {number}")
    await post.answers(1)
    await asyncio.to_thread(dovecot.kill)
    for number in range(3, 6):
        await send(post, f"!task create {number}")
    await asyncio.to_thread(dovecot.start)
    await send(post, "!task create 6")

    await until(lambda: len(post.titles()) >= 7)
    await post.answers(7)

    assert post.titles() == [str(number) for number in range(7)]
    assert len(post.mailbox.received(ANN)) == 7


async def test_mail_read_by_a_person_is_run_all_the_same(
    post: Post, dovecot: Dovecot
) -> None:
    await asyncio.to_thread(dovecot.kill)
    await send(post, "!task create Seen")
    for fresh in (dovecot.folder / "mail" / OPS / "new").iterdir():
        fresh.rename(fresh.parent.parent / "cur" / f"{fresh.name}:2,S")
    await asyncio.to_thread(dovecot.start)

    await post.answers(1)

    assert post.titles() == ["Seen"]


async def test_new_numbers_after_a_restore_run_nothing_again(
    post: Post, dovecot: Dovecot
) -> None:
    await send(post, "!task create One")
    await post.answers(1)
    await post.settle()
    await asyncio.to_thread(dovecot.kill)
    for index in (dovecot.folder / "mail" / OPS).glob("dovecot*"):
        index.unlink()
    await asyncio.to_thread(dovecot.start)
    await send(post, "!task create Two")

    await post.answers(2)
    await post.settle()

    assert post.titles() == ["One", "Two"]
    assert len(post.mailbox.received(ANN)) == 2


@pytest.mark.parametrize("tls", [Tls.DIRECT, Tls.STARTTLS])
async def test_private_connection_wants_a_certificate_that_is_trusted(
    dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch, tls: Tls
) -> None:
    scheme = "imaps" if tls is Tls.DIRECT else "imap"
    server = replace(parse_imap(dovecot.url(OPS, scheme=scheme)), tls=tls)

    with pytest.raises(MailboxLost):
        async with connect(server, most_bytes=10**6, deadline=3):
            pass

    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.folder / "cert.pem"))
    assert ssl.create_default_context().get_ca_certs()
    async with connect(server, most_bytes=10**6, deadline=3) as connection:
        await connection.log_in(server)
        assert (await connection.select("INBOX")).uid_next == 1
