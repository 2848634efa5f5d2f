"""The answer as a mail: in its thread, to one person, and the same at every try."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from channels.base import Undeliverable
from channels.email.compose import answer_address, compose
from channels.email.loops import find_machine
from channels.email.reading import read
from channels.email.render import File, Mailing
from core.kernel.jsons import Json
from tests.unit.channels.email.letters import ADDRESS

PLACE: Mapping[str, Json] = {
    "to": "ann@example.org",
    "thread": "<first@example.org>",
    "in_reply_to": "<m2@example.org>",
    "references": ["<first@example.org>", "<m1@example.org>"],
    "subject": "Re: hello",
    "this": "T-12",
}
CSV = File(name="table-1.csv", media_type="text/csv", content=b"id\n1\n")


def a_mailing(subject: str = "Done", **given: object) -> Mailing:
    facts = {"text": "Döne\n", "html": "<p>Done</p>", "json": '{"id":"rp_1"}', **given}
    return Mailing(subject=subject, **facts)  # type: ignore[arg-type]


def composed(
    mailing: Mailing | None = None, *, subject: str = "Done", **place: Json
) -> EmailMessage:
    """Compose an answer, and read it back as a mail program does."""
    mail = compose(
        mailing or a_mailing(subject),
        {**PLACE, **place},
        sender=ADDRESS,
        message_id="<out@example.org>",
    )
    found = message_from_bytes(mail.as_bytes(), policy=default)
    assert isinstance(found, EmailMessage)
    return found


def test_answer_is_in_the_thread() -> None:
    """`R-13`."""
    mail = composed()

    assert mail["In-Reply-To"] == "<m2@example.org>"
    assert mail["References"].split() == [
        "<first@example.org>",
        "<m1@example.org>",
        "<m2@example.org>",
    ]
    assert mail["Message-ID"] == "<out@example.org>"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["Subject"] == "Re: hello"


def test_answer_goes_to_one_person() -> None:
    """`R-13`."""
    mail = composed()

    assert [each.addr_spec for each in mail["To"].addresses] == ["ann@example.org"]
    assert mail["Cc"] is None
    assert mail["Bcc"] is None
    assert [each.addr_spec for each in mail["From"].addresses] == [ADDRESS]


@pytest.mark.parametrize(
    "to", ["", "ann", "ann@example.org, bob@example.org", "a@b.org\nBcc: c@d.org", 7]
)
def test_place_without_one_recipient_is_no_place(to: Json) -> None:
    with pytest.raises(Undeliverable):
        composed(to=to)


def test_long_chain_keeps_its_beginning_and_its_end() -> None:
    chain: list[Json] = [f"<{number}@example.org>" for number in range(200)]

    references = composed(references=chain)["References"].split()

    assert len(references) == 50
    assert references[0] == "<0@example.org>"
    assert references[-2:] == ["<199@example.org>", "<m2@example.org>"]


def test_ids_longer_than_a_line_stay_whole() -> None:
    """`R-13`: an id that the library encodes belongs to no thread any more."""
    first, second, own = (f"<{letter * 200}@{letter}.org>" for letter in "xyz")

    raw = compose(
        a_mailing(),
        {**PLACE, "references": [first], "in_reply_to": second},
        sender=ADDRESS,
        message_id=own,
    ).as_bytes()

    assert f"In-Reply-To: {second}\r\n".encode() in raw
    assert f"References: {first}\r\n {second}\r\n".encode() in raw
    assert f"Message-ID: {own}\r\n".encode() in raw


def test_mail_that_answers_none_begins_a_thread() -> None:
    mail = composed(in_reply_to="", references=[], this="")

    assert mail["In-Reply-To"] is None
    assert mail["References"] is None
    assert mail["Subject"] == "Done"


@pytest.mark.parametrize(
    ("asked", "kept"),
    [("AW: Re: [T-9] disks", "Re: [T-9] disks"), ("  RE:  hello", "Re: hello")],
)
def test_answer_keeps_the_subject_of_its_thread(asked: str, kept: str) -> None:
    """`R-13`: mail programs part threads by their subject too."""
    place: dict[str, Json] = {**PLACE, "subject": asked}

    mail = compose(a_mailing(), place, sender=ADDRESS, message_id="<out@example.org>")

    assert mail["Subject"] == kept


def test_subject_of_a_new_thread_names_what_it_is_about() -> None:
    made = a_mailing("Created T-13 in queued", about="T-13")
    alone: dict[str, Json] = {"to": "ann@example.org", "subject": ""}

    new = compose(made, alone, sender=ADDRESS, message_id="<out@example.org>")

    assert new["Subject"] == "[T-13] Created T-13 in queued"


@pytest.mark.parametrize(
    "evil",
    ["x\nBcc: bob@example.org", "x\r\n\r\nbody", "x\rBcc: y", "x\u2028y", "ü\n" * 90],
)
def test_no_header_can_be_put_in(evil: str) -> None:
    mail = composed(
        subject=evil,
        in_reply_to=f"<a@b>{evil}",
        references=[f"<{evil}@x>", "<good@x>", "<bad one@x>", 7],
        this=evil,
        token=evil,
        thread=evil,
    )

    assert mail["Bcc"] is None
    assert mail["In-Reply-To"] is None
    assert mail["Reply-To"] is None
    assert set(mail.keys()) == {
        "From", "To", "Subject", "Message-ID", "Auto-Submitted",
        "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
    }  # fmt: skip


def test_parts_are_text_json_and_html_and_files() -> None:
    mail = composed(a_mailing(attachments=(CSV,)))

    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "application/json",
        "text/html",
        "text/csv",
    ]
    [file] = mail.iter_attachments()
    assert file.get_filename() == "table-1.csv"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Döne"]


def test_every_try_is_the_same_mail() -> None:
    """`R-13`."""
    now = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)

    def written() -> bytes:
        mail = compose(
            a_mailing(attachments=(CSV,)),
            PLACE,
            sender=ADDRESS,
            message_id="<out@example.org>",
            now=now,
        )
        return mail.as_bytes()

    assert written() == written()
    assert b"Date: Wed, 04 Nov 2026 09:00:00 +0000" in written()


def test_mail_needs_nothing_of_the_server() -> None:
    """Every server takes 7-bit lines of at most 998 characters."""
    raw = compose(
        a_mailing("é" * 100, text="ü" * 5_000, html=f"<p>{'ü' * 5_000}</p>"),
        PLACE,
        sender=ADDRESS,
        message_id="<out@example.org>",
    ).as_bytes()

    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    ("place", "address"),
    [
        ({"token": "r0123", "this": "T-1"}, "ops+r0123@example.org"),
        ({"this": "T-1"}, "ops+T-1@example.org"),
        ({}, ""),
        ({"token": "a b"}, ""),
        ({"token": "x" * 65}, ""),
    ],
)
def test_answers_come_back_with_what_they_are_about(
    place: Mapping[str, Json], address: str
) -> None:
    assert answer_address(place, sender=ADDRESS) == address


def test_our_own_mails_are_known_again() -> None:
    """`R-11`: two gateways that write to each other stop after one answer."""
    mail = compose(
        a_mailing(), PLACE, sender="dev@example.com", message_id="<out@example.org>"
    )

    payload = read(mail.as_bytes(), address=ADDRESS)

    marks = payload["marks"]
    assert isinstance(marks, dict)
    assert find_machine(marks, sender="dev@example.com", own=ADDRESS)
    assert payload["references"] == [
        "<first@example.org>",
        "<m1@example.org>",
        "<m2@example.org>",
    ]
