"""A mail in, its commands run, the answer in the same thread."""

import json

from channels.testing.mailbox import Received
from tests.integration.email.conftest import ANN, OPS, Post


def data_of(received: Received) -> dict[str, object]:
    """Read the JSON part of an answer."""
    for part in received.mail.walk():
        if part.get_content_type() == "application/json":
            found: dict[str, object] = json.loads(part.get_content())
            return found
    raise AssertionError("the mail has no JSON part")


def text_of(received: Received) -> str:
    """Read the plain part of an answer."""
    body = received.mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def test_mail_is_answered_in_its_thread(post: Post) -> None:
    """R-13: threading headers, one recipient, and a sign that no person wrote it."""
    post.write("!task create 'Fix login'")

    [answer] = await post.answers(1)

    [asked] = post.mailbox.received(OPS)
    assert post.titles() == ["Fix login"]
    assert answer.mail["In-Reply-To"] == asked.mail["Message-ID"]
    assert answer.mail["References"] == asked.mail["Message-ID"]
    assert answer.mail["To"] == ANN
    assert answer.mail["Auto-Submitted"] == "auto-replied"
    assert "T-1" in text_of(answer)
    assert data_of(answer)["data"]


async def test_several_lines_are_answered_with_a_transcript(post: Post) -> None:
    post.write("!task create One\n!task create Two\n!task list\n")

    [answer] = await post.answers(1)

    assert post.titles() == ["One", "Two"]
    assert "3 of 3" in text_of(answer)


async def test_lines_of_one_mail_remember_each_other(post: Post) -> None:
    post.write("!task create One\n!claim this\n!task list\n!show #1\n")

    [answer] = await post.answers(1)

    assert "4 of 4" in text_of(answer)


async def test_answer_to_an_answer_goes_on_in_the_thread(post: Post) -> None:
    post.write("!task create One")
    [first] = await post.answers(1)
    post.write("!task show this", answers=first.raw, subject=str(first.mail["Subject"]))

    answers = await post.answers(2)

    chain = str(answers[1].mail["References"]).split()
    assert len(chain) == 3
    assert chain[1] == first.mail["Message-ID"]


async def test_health_tells_when_something_came_and_left(post: Post) -> None:
    post.write("!whoami")
    await post.answers(1)

    [health] = [
        each
        for door in post.gateway.graph.doors
        if door.spec.name == "email"
        for each in door.healths()
    ]

    assert health.link.value == "connected"
    assert health.last_in is not None
    assert health.last_out is not None


async def test_probe_walks_the_round_trip(post: Post) -> None:
    [door] = [each for each in post.gateway.graph.doors if each.spec.name == "email"]
    assert door.prober is not None

    steps = await door.prober.probe(OPS)

    assert [step.name for step in steps if step.is_ok] == [
        "imap connect",
        "imap login",
        "imap folder",
        "smtp login",
        "smtp send",
        "arrival",
    ]
    await post.settle()
    assert len(post.mailbox.received(OPS)) == 1


async def test_probe_stops_at_what_fails_and_says_what_helps(post: Post) -> None:
    await post.mailbox.smtp.stop()
    [door] = [each for each in post.gateway.graph.doors if each.spec.name == "email"]
    assert door.prober is not None

    steps = await door.prober.probe(OPS)

    assert steps[-1].name == "smtp login"
    assert not steps[-1].is_ok
    assert "OPSWIRE_EMAIL__SMTP_URL" in steps[-1].fix
