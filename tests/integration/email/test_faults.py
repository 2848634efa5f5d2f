"""R-14, R-15: whatever the mail server does, each mail is run once and answered."""

import asyncio
from collections.abc import Callable

import pytest

from channels.testing.mailbox import ImapFault, MailboxSimulator, SmtpFault
from tests.integration.email.conftest import ANN, OPS, Mailed, Post, until

MAILS = 20


def stay(mailbox: MailboxSimulator) -> None:
    """Do nothing, for comparison."""


def plan(fault: ImapFault) -> Callable[[MailboxSimulator], None]:
    """Have a fault happen once more."""
    return lambda mailbox: mailbox.faults.plan(fault)


def kick(mailbox: MailboxSimulator) -> None:
    """End each IDLE sooner than the reader does."""
    mailbox.imap.kick_seconds = 0.05


def freeze(mailbox: MailboxSimulator) -> None:
    """Leave the connection half open."""
    mailbox.imap.freeze()


def renumber(mailbox: MailboxSimulator) -> None:
    """Reset UIDVALIDITY."""
    mailbox.renumber(OPS)


def mark_seen(mailbox: MailboxSimulator) -> None:
    """Be a person who reads along."""
    mailbox.folder(OPS).mark_seen()


def move_read(mailbox: MailboxSimulator) -> None:
    """Be a person who tidies up what was answered."""
    answered = {str(each.mail["In-Reply-To"]) for each in mailbox.received(ANN)}
    for each in mailbox.received(OPS):
        if str(each.mail["Message-ID"]) in answered:
            uid = each.uid
            mailbox.folder(OPS).remove(lambda mail, uid=uid: mail.uid == uid)  # type: ignore[misc]  # bound now


FAULTS = {
    "none": stay,
    "bye": plan(ImapFault.BYE),
    "hang": plan(ImapFault.HANG),
    "half_open": freeze,
    "cut_literal": plan(ImapFault.CUT_LITERAL),
    "refuse_login": plan(ImapFault.REFUSE_LOGIN),
    "garbage": plan(ImapFault.GARBAGE),
    "slow_greeting": plan(ImapFault.SLOW_GREETING),
    "kick_idle": kick,
    "uid_validity": renumber,
    "seen_by_others": mark_seen,
    "moved_by_others": move_read,
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_every_mail_is_run_once_through_faults(
    post: Post, fault: Callable[[MailboxSimulator], None]
) -> None:
    for number in range(MAILS):
        post.write(f"!task create {number:02}")
        if number % 4 == 1:
            fault(post.mailbox)
        await asyncio.sleep(0.02)

    await until(lambda: len(post.titles()) >= MAILS)
    await post.gateway.graph.intake.settle()

    assert post.titles() == [f"{number:02}" for number in range(MAILS)]


async def test_mails_are_taken_in_the_order_in_which_they_came(post: Post) -> None:
    await post.mailbox.imap.stop()
    for number in range(30):
        post.write(f"!task create {number:02}")
    await post.mailbox.imap.start()
    await until(lambda: len(post.titles()) >= 30)

    keys = [str(row[0]) for row in post.ask("SELECT key FROM inbox ORDER BY seq")]

    assert keys == [str(each.mail["Message-ID"]) for each in post.mailbox.received(OPS)]


async def test_mail_waits_for_a_server_that_is_down(post: Post) -> None:
    await post.mailbox.imap.stop()
    post.write("!task create Waiting")
    [health] = [
        each
        for door in post.gateway.graph.doors
        if door.spec.name == "email"
        for each in door.healths()
    ]
    await until(lambda: health.link.value == "degraded")
    assert health.fix

    await post.mailbox.imap.start()
    await post.answers(1)

    assert health.link.value == "connected"
    assert health.error == ""
    assert post.titles() == ["Waiting"]


async def test_wrong_password_is_told_with_its_fix_and_tried_again(
    mailed: Mailed, mailbox: MailboxSimulator
) -> None:
    right = mailbox.imap_url(OPS)
    password = mailbox.boxes.passwords[OPS]
    mailbox.boxes.passwords[OPS] = "another"
    post = await mailed(imap_url=right)
    [door] = [each for each in post.gateway.graph.doors if each.spec.name == "email"]
    [health] = door.healths()
    await until(lambda: health.reconnects >= 3)

    assert "password" in health.error
    assert "OPSWIRE_EMAIL__IMAP_URL" in health.fix

    mailbox.boxes.passwords[OPS] = password
    await until(lambda: health.link.value == "connected")


async def test_restarted_gateway_goes_on_where_it_was(mailed: Mailed) -> None:
    first = await mailed()
    first.write("!task create Before")
    await first.answers(1)
    await first.gateway.stop()
    first.write("!task create Meanwhile")

    second = await mailed(data="gateway-0")
    await second.answers(2)
    await second.settle()

    assert second.titles() == ["Before", "Meanwhile"]
    assert len(second.mailbox.received(ANN)) == 2


async def test_two_gateways_on_one_database_read_in_turns(mailed: Mailed) -> None:
    first = await mailed()
    second = await mailed(data="gateway-0", port=8001)
    for number in range(10):
        first.write(f"!task create {number}")
    await first.answers(10)
    assert second.mailbox.imap.connections == 1
    await first.gateway.stop()
    for number in range(10, 15):
        second.write(f"!task create {number}")
    await second.answers(15)

    assert len(second.titles()) == 15
    assert len(second.mailbox.received(ANN)) == 15


# ── sending ───────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "fault",
    [
        SmtpFault.CLOSING,
        SmtpFault.BUSY,
        SmtpFault.LOCAL_ERROR,
        SmtpFault.GARBAGE,
        SmtpFault.DROP_AFTER_DATA,
    ],
)
async def test_answer_arrives_when_the_fault_has_passed(
    post: Post, fault: SmtpFault
) -> None:
    post.mailbox.faults.plan(fault)
    post.write("!task create One")

    await until(lambda: post.ask("SELECT state FROM outbox") == [("sent",)])

    received = post.mailbox.received(ANN)
    assert post.titles() == ["One"]
    assert len({str(each.mail["Message-ID"]) for each in received}) == 1
    assert len(received) <= (2 if fault is SmtpFault.DROP_AFTER_DATA else 1)


@pytest.mark.parametrize("fault", [SmtpFault.NO_MAILBOX, SmtpFault.REJECTED])
async def test_answer_refused_for_good_is_buried_with_its_reason(
    post: Post, fault: SmtpFault
) -> None:
    post.mailbox.faults.plan(fault)
    post.write("!task create One")

    await until(lambda: post.ask("SELECT state FROM outbox") == [("dead",)])

    [(error, fix, attempts)] = post.ask("SELECT error, fix, attempts FROM outbox")
    assert fault.value in str(error)
    assert fix
    assert attempts == 1
    assert post.mailbox.received(ANN) == []
