"""R-15: what waiting mends is tried again; what it does not is told with its fix."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from channels.base import Postponed, Undeliverable
from channels.email.servers import MailServer, parse_smtp
from channels.email.smtp import ServerLost, SmtpSender
from channels.testing.mailbox import MailboxSimulator, SmtpFault
from tests.certificates import make_certificate

OPS, ANN = "ops@example.org", "ann@example.org"
MAIL = b"From: ops@example.org\r\nSubject: answer\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"


@pytest.fixture
async def mailbox() -> AsyncIterator[MailboxSimulator]:
    simulator = MailboxSimulator()
    await simulator.start()
    yield simulator
    await simulator.stop()


def sender_to(mailbox: MailboxSimulator, url: str = "") -> SmtpSender:
    server: MailServer = parse_smtp(url or mailbox.smtp_url(OPS))
    return SmtpSender(server, deadline=0.5)


async def test_mail_arrives(mailbox: MailboxSimulator) -> None:
    await sender_to(mailbox).send(MAIL, sender=OPS, to=ANN)

    [received] = mailbox.received(ANN)
    assert received.raw.endswith(MAIL)
    assert b"dmarc=pass" in received.raw


@pytest.mark.parametrize(
    "fault",
    [
        SmtpFault.CLOSING,
        SmtpFault.BUSY,
        SmtpFault.LOCAL_ERROR,
        SmtpFault.HANG,
        SmtpFault.GARBAGE,
    ],
)
async def test_passing_fault_postpones_and_then_the_mail_arrives_once(
    mailbox: MailboxSimulator, fault: SmtpFault
) -> None:
    sender = sender_to(mailbox)
    mailbox.faults.plan(fault)

    with pytest.raises(Postponed):
        await sender.send(MAIL, sender=OPS, to=ANN)
    assert mailbox.received(ANN) == []
    await sender.send(MAIL, sender=OPS, to=ANN)

    assert len(mailbox.received(ANN)) == 1


async def test_drop_after_the_mail_is_postponed_under_the_same_name(
    mailbox: MailboxSimulator,
) -> None:
    sender = sender_to(mailbox)
    mailbox.faults.plan(SmtpFault.DROP_AFTER_DATA)

    with pytest.raises(Postponed):
        await sender.send(MAIL, sender=OPS, to=ANN)
    await sender.send(MAIL, sender=OPS, to=ANN)

    ids = {str(each.mail["Message-ID"]) for each in mailbox.received(ANN)}
    assert ids == {"<1@x>"}
    assert len(mailbox.received(ANN)) <= 3


@pytest.mark.parametrize("fault", [SmtpFault.NO_MAILBOX, SmtpFault.REJECTED])
async def test_refusal_for_good_is_undeliverable_with_a_fix(
    mailbox: MailboxSimulator, fault: SmtpFault
) -> None:
    mailbox.faults.plan(fault)

    with pytest.raises(Undeliverable) as refusal:
        await sender_to(mailbox).send(MAIL, sender=OPS, to=ANN)

    assert fault.value in refusal.value.reason
    assert refusal.value.fix


async def test_outage_holds_the_whole_account_back(mailbox: MailboxSimulator) -> None:
    sender = sender_to(mailbox)
    await mailbox.smtp.stop()

    with pytest.raises(Postponed) as delay:
        await sender.send(MAIL, sender=OPS, to=ANN)

    assert delay.value.is_account_wide


async def test_wrong_password_is_an_outage_and_loses_no_mail(
    mailbox: MailboxSimulator,
) -> None:
    url = f"smtp://ops%40example.org:wrong@127.0.0.1:{mailbox.smtp.port}"

    with pytest.raises(ServerLost, match="user name and password") as lost:
        await sender_to(mailbox, url).send(MAIL, sender=OPS, to=ANN)

    assert lost.value.is_account_wide
    assert "right user and password" in lost.value.fix


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
async def test_untrusted_certificate_is_told_with_its_own_fix(
    tmp_path: Path, scheme: str
) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(make_certificate(tmp_path))

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        await reader.readline()
        writer.write(b"250-mail.example.org\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 go ahead\r\n")
        with suppress(OSError):
            await writer.start_tls(context)
        writer.close()

    is_direct = scheme == "smtps"
    server = await asyncio.start_server(
        greet, "127.0.0.1", 0, ssl=context if is_direct else None
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        parsed = parse_smtp(f"{scheme}://ops:secret@mail.example.org:{port}")
        sender = SmtpSender(replace(parsed, host="127.0.0.1"), deadline=5)

        with pytest.raises(ServerLost, match="certificate is not trusted") as lost:
            await sender.check()

    assert "SSL_CERT_FILE" in lost.value.fix


async def test_check_signs_in_and_sends_nothing(mailbox: MailboxSimulator) -> None:
    await sender_to(mailbox).check()

    assert mailbox.received(OPS) == []


async def test_plain_connection_is_refused_off_loopback(
    mailbox: MailboxSimulator,
) -> None:
    server = parse_smtp(mailbox.smtp_url(OPS))
    private = parse_smtp("smtp://a:b@mail.example.org")
    insisting = SmtpSender(
        MailServer(
            host=server.host, port=server.port, tls=private.tls, user=server.user
        ),
        deadline=0.5,
    )

    with pytest.raises(Postponed):
        await insisting.send(MAIL, sender=OPS, to=ANN)

    assert mailbox.received(ANN) == []
