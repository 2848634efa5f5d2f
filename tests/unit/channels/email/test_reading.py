"""What is read of a mail: who, about what, its text, and its files as facts."""

import base64
import hashlib

import pytest

from channels.email.reading import read
from tests.unit.channels.email.letters import ADDRESS, a_mail, a_multipart, commands_in

PLAIN = "Content-Type: text/plain; charset=utf-8\r\n\r\n"
HTML = "Content-Type: text/html; charset=utf-8\r\n\r\n"


def read_mail(raw: bytes) -> dict[str, object]:
    return dict(read(raw, address=ADDRESS))


def text_of(raw: bytes) -> object:
    return read(raw, address=ADDRESS)["text"]


def encoded(text: str, charset: str, how: str = "base64") -> bytes:
    """Write a mail whose text is encoded."""
    raw = base64.encodebytes(text.encode(charset))
    return a_mail(
        raw,
        content_type=f"text/plain; charset={charset}",
        content_transfer_encoding=how,
    )


# ── headers ───────────────────────────────────────────────────────────────────
def test_headers_are_read() -> None:
    raw = a_mail(
        "hello",
        from_='"Lee, Ann" <Ann.Lee@Example.ORG>',
        to="Opswire <ops+T-12@EXAMPLE.org>, bob@example.org",
        subject="=?utf-8?q?Pr=C3=BCfung?= =?utf-8?b?IGZlcnRpZw==?=",
        date="Wed, 04 Nov 2026 10:12:00 +0100",
        message_id="<m1@example.org>",
        in_reply_to="<a@b> (of yesterday)",
        references="<x@y>\r\n <a@b>",
    ).replace(b"From-:", b"From:")

    payload = read_mail(raw.replace(b"From: Ann Lee <ann@example.org>\r\n", b"", 1))

    assert {name: payload[name] for name in payload if name != "marks"} == {
        "message_id": "<m1@example.org>",
        "from": "Ann.Lee@example.org",
        "from_name": "Lee, Ann",
        "to": ["ops+T-12@example.org", "bob@example.org"],
        "subject": "Prüfung fertig",
        "date": "2026-11-04T09:12:00+00:00",
        "in_reply_to": "<a@b>",
        "references": ["<x@y>", "<a@b>"],
        "tag": "T-12",
        "text": "hello",
        "below": "",
        "cut": "",
        "is_whole": True,
        "body_json": None,
        "attachments": [],
        "fault": "",
    }


@pytest.mark.parametrize(
    "sender",
    [
        "ann@example.org, bob@example.org",
        "ann@example.org <bob@example.org>",
        "ann@example.org)bob@example.org",
        "<ann@example.org> <bob@example.org>",
        "Team: ann@example.org;",
        "ann",
        "ann@",
        "ann@exa mple.org",
        '"ann@example.org',
        "ann@example.org\0",
        "(" * 3_000 + "ann@example.org",
        "a" * 70 + "@example.org",
        "ann@" + "x" * 300,
    ],
)
def test_sender_that_can_be_read_in_two_ways_is_none(sender: str) -> None:
    """`R-12`: what is checked and what is read must be the same."""
    payload = read_mail(a_mail("!whoami", from_=sender).replace(b"From-:", b"From:"))
    only = read_mail(
        a_mail("!whoami").replace(b"Ann Lee <ann@example.org>", sender.encode())
    )

    assert payload["fault"] == "it has more than one From header"
    assert only["from"] == ""
    assert only["fault"] == "it does not say which one address it is from"


@pytest.mark.parametrize("name", ["Subject", "Content-Type", "Message-ID", "Date"])
def test_header_that_is_there_twice_is_a_fault(name: str) -> None:
    twice = f"{name}: one\r\n{name}: two\r\n".encode()

    payload = read_mail(twice + a_mail("!whoami", subject="", message_id=""))

    assert payload["fault"] == f"it has more than one {name.title()} header"
    assert payload["text"] == ""


def test_marks_of_machines_are_kept() -> None:
    raw = b"Return-Path: <>\r\n" + a_mail(
        "x",
        auto_submitted="auto-replied",
        list_id="<ops.example.org>",
        x_auto_response_suppress="All",
        x_spam="yes",
    )

    assert read_mail(raw)["marks"] == {
        "return-path": "<>",
        "auto-submitted": "auto-replied",
        "list-id": "<ops.example.org>",
        "x-auto-response-suppress": "All",
    }


def test_long_chain_keeps_its_beginning_and_its_end() -> None:
    chain = " ".join(f"<{number}@x>" for number in range(200))

    references = read_mail(a_mail("x", references=chain))["references"]

    assert isinstance(references, list)
    assert len(references) == 50
    assert (references[0], references[-1]) == ("<0@x>", "<199@x>")


# ── which part ────────────────────────────────────────────────────────────────
def test_plain_text_is_preferred_to_html() -> None:
    raw = a_multipart(f"{HTML}<p>!whoami</p>", f"{PLAIN}Hello", kind="alternative")

    assert text_of(raw) == "Hello"


def test_html_is_read_when_plain_text_is_blank() -> None:
    raw = a_multipart(f"{PLAIN} \r\n", f"{HTML}<p>!whoami</p>", kind="alternative")

    assert text_of(raw) == "!whoami"


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\n!whoami",
        "Content-Type: text/plain; name=a.txt\r\n\r\n!whoami",
        'Content-Type: text/plain\r\nContent-Disposition: inline; filename="a"\r\n\r\n!whoami',
        "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n!whoami",
        "Content-Type: application/json\r\n\r\n" + '{"command": "whoami"}',
        "Content-Type: text/calendar\r\n\r\n!whoami",
        "Content-Type: application/x; charset=utf-8\r\n\r\n!whoami",
    ],
)
def test_files_and_forwarded_mails_are_not_read(part: str) -> None:
    """`R-12`."""
    payload = read_mail(a_multipart(f"{PLAIN}Hello", part))
    alone = read_mail(a_multipart(part))

    assert (payload["text"], alone["text"], alone["body_json"]) == ("Hello", "", None)
    assert isinstance(payload["attachments"], list)
    assert len(payload["attachments"]) == 1


def test_nested_parts_are_found() -> None:
    inner = (
        'Content-Type: multipart/alternative; boundary="inner"\r\n\r\n'
        f"--inner\r\n{PLAIN}!whoami\r\n--inner\r\n{HTML}x\r\n--inner--"
    )

    assert text_of(a_multipart("Content-Type: image/png\r\n\r\nx", inner)) == "!whoami"


def test_multipart_without_its_end_is_read_to_the_end() -> None:
    raw = a_multipart(f"{PLAIN}!whoami").replace(b"--edge--\r\n", b"")

    assert text_of(raw) == "!whoami"


def test_boundary_in_the_middle_of_a_line_is_none() -> None:
    raw = a_multipart(f"{PLAIN}one --edge two\r\n--edged\r\nthree")

    assert text_of(raw) == "one --edge two\n--edged\nthree"


def test_attachments_are_named_measured_and_hashed() -> None:
    content = bytes(range(256)) * 10
    part = (
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''..%2Fpr%C3%BCf%0Aung.bin\r\n\r\n"
        + base64.encodebytes(content)
    )

    assert read_mail(a_multipart(f"{PLAIN}hi", part))["attachments"] == [
        {
            "name": "prüf ung.bin",
            "type": "application/octet-stream",
            "size_bytes": 2560,
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    ]


def test_twenty_attachments_are_the_most() -> None:
    files = ["Content-Type: image/png\r\n\r\nx"] * 30

    found = read_mail(a_multipart(f"{PLAIN}!whoami", *files))["attachments"]

    assert isinstance(found, list)
    assert len(found) == 20


# ── encodings ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "!task note T-1 “ü 你 👩‍💻”"),
        ("iso-8859-1", "!task note T-1 grün"),
        ("iso-8859-2", "!task note T-1 zażółć"),
        ("windows-1252", "!task note T-1 “grün”"),
        ("koi8-r", "!task note T-1 тесты"),
        ("gb2312", "!task note T-1 测试"),
        ("gb18030", "!task note T-1 测试"),
        ("big5", "!task note T-1 測試"),
        ("iso-2022-jp", "!task note T-1 確認"),
        ("shift_jis", "!task note T-1 確認"),
        ("euc-kr", "!task note T-1 감사"),
        ("utf-16", "!task note T-1 ü"),
    ],
)
def test_charsets_are_undone(charset: str, text: str) -> None:
    assert text_of(encoded(text, charset)) == text


@pytest.mark.parametrize(
    "charset",
    [
        "x-unknown",
        "rot13",
        "hex",
        "zip",
        "punycode",
        "unicode_escape",
        "undefined",
        "a\0b",
    ],
)
def test_charset_that_is_none_is_guessed(charset: str) -> None:
    raw = a_mail("!task note T-1 grün", content_type=f"text/plain; charset={charset}")
    latin = a_mail("!whoami grün".encode("latin-1"), content_type="text/plain")

    assert text_of(raw) == "!task note T-1 grün"
    assert text_of(latin) == "!whoami gr�n"


def test_bytes_that_do_not_fit_are_replaced() -> None:
    raw = a_mail(b"!task list \xff\xfe\0", content_type="text/plain; charset=utf-8")

    assert text_of(raw) == "!task list ���"


def test_quoted_printable_lines_are_joined() -> None:
    raw = a_mail(
        "!task note T-1 =22one =\ntwo=22\n> =21task delete T-1\n=3E !task delete T-2",
        content_transfer_encoding="Quoted-Printable",
    )

    assert text_of(raw) == '!task note T-1 "one two"'


@pytest.mark.parametrize("body", ["IXdob2FtaQ==", "IXdo b2FtaQ", "IXdo\r\n!b2FtaQ=="])
def test_base64_is_undone_as_mail_programs_do(body: str) -> None:
    assert text_of(a_mail(body, content_transfer_encoding="base64")) == "!whoami"


def test_text_in_an_unknown_encoding_is_not_read() -> None:
    raw = a_mail("!whoami", content_transfer_encoding="x-uuencode")

    assert text_of(raw) == ""


def test_flowed_lines_are_joined_and_their_quotes_kept_apart() -> None:
    raw = a_mail(
        '!task note T-1 "one \ntwo"\n>> old \n>> !task delete \n> T-1 \n !whoami\n-- \nAnn',
        content_type="text/plain; format=flowed",
    )

    payload = read_mail(raw)
    assert payload["text"] == '!task note T-1 "one two"'
    assert payload["below"] == "!whoami"
    assert payload["cut"] == ">> old !task delete \n> T-1 \n-- \nAnn"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind(line_end: str) -> None:
    raw = a_mail(line_end.join(["!whoami", "", "> old"]).encode())

    assert text_of(raw) == "!whoami"


def test_unseen_characters_hide_no_quote() -> None:
    """`R-12`."""
    for sign in ("\u200b", "\u202e", "\ufeff", "\u2066", "\u00ad", "\xa0"):
        assert commands_in(f"{sign}> !task delete T-1\n{sign}>!whoami") == []
        assert commands_in(f"Hi\n\n-----{sign}Original Message-----\n!whoami") == []


def test_carriage_return_in_a_line_does_not_end_it() -> None:
    """`R-12`."""
    assert commands_in("Hi\n\n> old\r!task delete T-1\n") == []
    assert commands_in("Hi\r!task delete T-1\n") == []


# ── the whole body as JSON ────────────────────────────────────────────────────
def test_json_keeps_what_a_quote_parser_would_take() -> None:
    body = '{"command": "task.note",\n    "args": {"text": "a\\n> b\\n-- \\nc"}}'

    payload = read_mail(a_mail(body))

    assert payload["body_json"] == {
        "command": "task.note",
        "args": {"text": "a\n> b\n-- \nc"},
    }


def test_mail_that_says_it_is_json_is_read() -> None:
    raw = a_mail('{"command": "whoami"}', content_type="application/json")

    assert read_mail(raw)["body_json"] == {"command": "whoami"}


@pytest.mark.parametrize(
    "body",
    [
        '{"command": "whoami"} and more',
        '{"command": "whoami", "status": "ok"}',
        '{"command": ["whoami"]}',
        '[{"command": "whoami"}]',
        '{"command": "whoami", "args": ' + "[" * 300 + "]" * 300 + "}",
        '> {"command": "whoami"}',
    ],
)
def test_other_json_is_text(body: str) -> None:
    assert read_mail(a_mail(body))["body_json"] is None
