"""R-11, R-12, R-60: who is not proven is not run, not answered, and written down."""

import re
from email.message import EmailMessage

import pytest

from channels.testing.mailbox import Letter, compose
from tests.integration.email.conftest import (
    ANN,
    EVE,
    OPS,
    Mailed,
    Post,
    confirm,
    link,
    until,
)

MX = "Authentication-Results: mx.opswire.test; dmarc={} header.from=example.org\r\n"
COMMAND = "!task create Spoofed"


def forged(head: str = MX.format("fail"), **fields: str) -> bytes:
    """Write a mail in ann's name that comes from somewhere else."""
    mail = compose(Letter(sender=ANN, to=OPS, subject="hello", text=COMMAND))
    for name, value in fields.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    return head.encode() + mail.as_bytes()


SPOOFS = {
    "no_results": forged(""),
    "fail": forged(),
    "other_server": forged(
        MX.format("pass").replace("mx.opswire.test", "mx.evil.example")
    ),
    "ours_below_another": forged(
        f"Authentication-Results: mx.evil.example; none\r\n{MX.format('pass')}"
    ),
    "fail_above_pass": forged(MX.format("fail") + MX.format("pass")),
    "other_domain": forged(
        MX.format("pass").replace("header.from=example.org", "header.from=evil.example")
    ),
    "unsigned_dkim_header": forged("DKIM-Signature: v=1; d=example.org; l=0\r\n"),
    "sender_elsewhere": forged(MX.format("pass"), Sender=EVE.replace("org", "evil")),
    "two_from": f"From: {EVE}\r\n".encode() + forged(MX.format("pass")),
    "display_name": forged(
        MX.format("pass").replace("org", "evil"), From=f'"{ANN}" <eve@example.evil>'
    ),
}


@pytest.mark.parametrize("raw", SPOOFS.values(), ids=SPOOFS.keys())
async def test_spoofed_mail_has_no_effect_no_answer_and_an_entry(
    post: Post, raw: bytes
) -> None:
    post.mailbox.inject(OPS, raw)
    await post.settle()
    post.write("!whoami")
    await post.answers(1)

    assert post.titles() == []
    assert len(post.mailbox.received(ANN)) == 1
    assert "denied" in [verdict for verdict, _ in post.verdicts()]
    assert post.ask("SELECT COUNT(*) FROM outbox") == [(1,)]


async def test_spoofed_mail_does_not_take_the_place_of_the_real_one(post: Post) -> None:
    real = compose(
        Letter(sender=ANN, to=OPS, subject="hello", text="!task create Real")
    )
    message_id = str(real["Message-ID"])

    post.mailbox.inject(OPS, forged(Message_ID=message_id))
    await post.settle()
    post.mailbox.inject(OPS, MX.format("pass").encode() + real.as_bytes())
    await post.answers(1)

    assert post.titles() == ["Real"]


async def test_proven_stranger_is_told_once_a_day_how_to_begin(post: Post) -> None:
    for number in range(4):
        post.write(f"!task create {number}", by=EVE)
    await post.settle()
    post.write("!help", by=EVE)
    answers = await post.answers(2, to=EVE)

    assert post.titles() == []
    assert len(answers) == 2


async def test_proven_stranger_links_by_mail_and_is_a_person_then(post: Post) -> None:
    post.write("!link", by=EVE)
    [answer] = await post.answers(1, to=EVE)
    body = answer.mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"\b[A-Z0-9]{8}\b", body.get_content())
    assert found is not None, body.get_content()
    confirm(post.gateway, "eve", found[0])

    post.write("!task create One", by=EVE)
    await post.answers(2, to=EVE)

    assert post.titles() == ["One"]


async def test_same_address_at_another_mailbox_is_another_account(
    mailed: Mailed,
) -> None:
    """A link counts for the mailbox where it was made."""
    post = await mailed()
    link(post.gateway, EVE, account="other@example.org")

    post.write("!task create One", by=EVE)
    await post.answers(1, to=EVE)

    assert post.titles() == []


async def test_letters_case_of_an_address_does_not_matter(post: Post) -> None:
    post.write("!task create One", by="Ann@Example.ORG")
    await post.answers(1)

    assert post.titles() == ["One"]


MACHINES = {
    "Auto-Submitted": "auto-replied",
    "Precedence": "bulk",
    "List-Id": "<all.example.org>",
    "X-Auto-Response-Suppress": "All",
    "Return-Path": "<>",
    "X-Autoreply": "yes",
}


@pytest.mark.parametrize("mark", MACHINES.items(), ids=lambda mark: str(mark[0]))
async def test_mail_of_a_machine_is_neither_run_nor_answered(
    post: Post, mark: tuple[str, str]
) -> None:
    mail: EmailMessage = compose(
        Letter(sender=ANN, to=OPS, subject="away", text=COMMAND)
    )
    mail[mark[0]] = mark[1]
    post.mailbox.inject(OPS, MX.format("pass").encode() + mail.as_bytes())
    await post.settle()
    post.write("!whoami")
    await post.answers(1)

    assert post.titles() == []
    assert len(post.mailbox.received(ANN)) == 1


async def test_lab_without_authentication_believes_addresses(mailed: Mailed) -> None:
    post = await mailed(require_authentication=False)

    post.mailbox.inject(OPS, forged(""))
    await post.answers(1)

    assert post.titles() == ["Spoofed"]


async def test_two_gateways_that_mail_each_other_stop_after_one_answer(
    mailed: Mailed,
) -> None:
    """R-11: at most one exchange."""
    first = await mailed("one@example.org")
    second = await mailed("two@example.org")
    link(second.gateway, "one@example.org", account="two@example.org")

    second.write("!task list", by="one@example.org")
    await first.settle()
    await second.settle()
    [answer] = await first.answers(1, to="one@example.org")
    await first.settle()
    await second.settle()

    assert answer.mail["From"].addresses[0].addr_spec == "two@example.org"
    assert len(first.mailbox.received("one@example.org")) == 1
    assert len(first.mailbox.received("two@example.org")) == 1


async def test_many_mails_within_the_hour_get_twenty_answers(post: Post) -> None:
    """R-11: a sender is answered at most 20 times an hour; the rest waits."""
    for number in range(40):
        post.write(f"!task create {number}")
    await post.answers(20)
    await post.settle()
    waiting = "SELECT COUNT(*) FROM outbox WHERE state = 'waiting'"

    assert len(post.titles()) == 40
    await until(lambda: post.ask(waiting) == [(20,)])
    assert len(post.mailbox.received(ANN)) == 20

    post.write("!status")
    await post.answers(21)
    await until(lambda: post.ask(waiting) == [(20,)])
