"""What a reply token, a bounce, a large mail and a bomb do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest

from channels.testing.mailbox import Letter, compose
from core.kernel.principal import Assurance
from tests.integration.email.conftest import ANN, EVE, OPS, Post, link, until

MX = b"Authentication-Results: mx.opswire.test; dmarc=pass header.from=example.org\r\n"


def assurances(post: Post) -> list[int]:
    """Read how well the senders of all stored mails were proven, the oldest first."""
    rows = post.ask(
        "SELECT json_extract(payload, '$.assurance') FROM inbox ORDER BY seq"
    )
    return [int(row[0]) for row in rows]


def answer_to(raw: EmailMessage, *, by: str = ANN, answers: bytes = b"") -> Letter:
    """Answer a mail at the address that it asks to be answered at."""
    address = str(raw["Reply-To"].addresses[0].addr_spec)
    return Letter(
        sender=by, to=address, subject="Re: hello", text="!whoami", answers=answers
    )


async def test_answer_to_an_answer_shows_its_secret(post: Post) -> None:
    post.write("!whoami")
    [first] = await post.answers(1)

    post.mailbox.write(answer_to(first.mail, answers=first.raw))
    await post.answers(2)

    assert assurances(post) == [Assurance.SENDER, Assurance.SECRET]
    token = str(first.mail["Reply-To"].addresses[0].username).partition("+")[2]
    assert len(token) > 20
    assert post.ask(f"SELECT COUNT(*) FROM inbox WHERE payload LIKE '%{token}%'") == [
        (0,)
    ]
    assert post.ask(
        f"SELECT COUNT(*) FROM mail_tokens WHERE token_hash LIKE '%{token}%'"
    ) == [(0,)]


async def test_secret_of_another_person_proves_nothing_more(post: Post) -> None:
    link(post.gateway, EVE)
    post.write("!whoami")
    [first] = await post.answers(1)

    post.mailbox.write(answer_to(first.mail, by=EVE, answers=first.raw))
    await post.answers(1, to=EVE)

    assert assurances(post) == [Assurance.SENDER, Assurance.SENDER]


async def test_secret_counts_in_its_own_thread_only(post: Post) -> None:
    post.write("!whoami")
    [first] = await post.answers(1)
    elsewhere = compose(Letter(sender=ANN, to=OPS, subject="another thread"))

    post.mailbox.write(answer_to(first.mail, answers=elsewhere.as_bytes()))
    await post.answers(2)

    assert assurances(post) == [Assurance.SENDER, Assurance.SENDER]


async def test_link_in_an_answer_goes_on_with_its_thread(post: Post) -> None:
    """A link makes a mail without a past; the secret in its address is its past."""
    post.write("!task create One")
    [first] = await post.answers(1)
    letter = replace(answer_to(first.mail), text="!task show last")

    post.mailbox.write(letter)
    answers = await post.answers(2)

    assert assurances(post) == [Assurance.SENDER, Assurance.SECRET]
    assert "One" in answers[1].raw.decode()


async def test_invented_secret_is_no_object_either(post: Post) -> None:
    post.mailbox.write(
        Letter(sender=ANN, to=f"ops+r{'a' * 26}@example.org", text="!whoami")
    )
    await post.answers(1)

    assert assurances(post) == [Assurance.SENDER]


async def test_bounced_answer_is_shown_as_dead(post: Post) -> None:
    post.write("!task create One")
    [answer] = await post.answers(1)
    report = EmailMessage()
    report["From"] = "MAILER-DAEMON@example.org"
    report["To"] = OPS
    report["Return-Path"] = "<>"
    report.set_content(
        f"Action: failed\nStatus: 5.1.1\n\nMessage-ID: {answer.mail['Message-ID']}\n"
    )

    post.mailbox.inject(OPS, MX + report.as_bytes())
    await until(lambda: post.ask("SELECT state FROM outbox") == [("dead",)])

    await post.settle()
    [(error, fix)] = post.ask("SELECT error, fix FROM outbox")
    assert "came back" in str(error)
    assert fix
    assert len(post.mailbox.received("mailer-daemon@example.org")) == 0


async def test_mail_above_the_limit_is_told_so_without_being_fetched(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = compose(Letter(sender=ANN, to=OPS, subject="big", text="!task create Big"))
    mail.add_attachment(b"x" * 20_000_000, maintype="application", subtype="pdf")
    post.mailbox.inject(OPS, MX + mail.as_bytes())

    [answer] = await post.answers(1)

    assert "25 MiB" in answer.raw.decode()
    assert post.titles() == []


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(days=6), ["One"]),
        (timedelta(days=8), []),
        (timedelta(days=-2), []),
        (None, []),
    ],
)
async def test_mail_of_long_ago_is_told_so_and_not_run(
    post: Post, age: timedelta | None, expected: list[str]
) -> None:
    """A signed mail that somebody kept cannot be sent again after its row is gone."""
    mail = compose(Letter(sender=ANN, to=OPS, subject="old", text="!task create One"))
    del mail["Date"]
    if age is not None:
        mail["Date"] = format_datetime(datetime.now(UTC) - age)

    post.mailbox.inject(OPS, MX + mail.as_bytes())
    await post.answers(1)

    assert post.titles() == expected


BOMBS = {
    "nested": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(2_000)
    ),
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--b\r\n\r\n!task create x\r\n" * 20_000,
    "headers": b"".join(b"X-%d: y\r\n" % n for n in range(100_000)) + b"\r\n",
    "one_line": b"\r\n" + b"> " * 500_000,
    "charset": b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe\x00\xd8",
    "surrogates": b"Content-Type: text/plain; charset=utf-7\r\n\r\n+2AA-\r\n",
    "references": b"References: " + b"<a@b> " * 50_000 + b"\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_bomb_is_followed_by_the_next_command(post: Post, bomb: bytes) -> None:
    """R-55: whatever a mail is made of, the one behind it is served."""
    head = (
        MX + b"From: ann@example.org\r\nTo: ops@example.org\r\nSubject: x\r\n"
        b"Date: %s\r\nMessage-ID: <bomb@example.org>\r\n"
    ) % format_datetime(datetime.now(UTC)).encode()
    post.mailbox.inject(OPS, head + bomb if bomb else b"")
    post.write("!task create After")

    await until(lambda: "After" in post.titles())

    assert "x" not in post.titles()
