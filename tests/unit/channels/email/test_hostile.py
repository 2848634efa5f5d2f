"""Mails made to break what reads them: bounded in time and memory, and no fault of ours.

Nothing here measures time: what takes too long shows as a run that never ends. How time
grows with size is measured by `python -m benchmarks P-10`.
"""

import tracemalloc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email.reading import MAIL_BYTES, read
from core.kernel.jsons import canonical_json
from tests.unit.channels.email.letters import (
    ADDRESS,
    EXPECTED,
    REPLIES,
    a_mail,
    a_multipart,
    commands_in,
    lines_of,
    parsed,
)

MEBIBYTE = 1_048_576
PLAIN = "Content-Type: text/plain\r\n\r\n"


def nested(levels: int) -> bytes:
    """Write a mail of multiparts inside each other, a command at its core."""
    head = "".join(
        f'Content-Type: multipart/mixed; boundary="b{level}"\r\n\r\n--b{level}\r\n'
        for level in range(levels)
    )
    return a_mail().removesuffix(b"\r\n") + f"{head}{PLAIN}!task delete T-1".encode()


def bombs() -> dict[str, tuple[bytes, str]]:
    """List mails with what is wrong with each; "" where it can be read all the same."""
    many = [f"{PLAIN}!task delete T-1"] * 1_000
    return {
        "nested": (nested(2_000), "its parts are nested more than 10 deep"),
        "parts": (a_multipart(*many), "it has more than 100 parts"),
        "headers": (
            b"X-A: b\r\n" * 100_000 + a_mail("!task delete T-1"),
            "it has more than 1000 headers",
        ),
        "long header": (
            b"X-A: " + b"b" * MEBIBYTE + b"\r\n" + a_mail("!task delete T-1"),
            "its headers have more than 256 KiB",
        ),
        "size": (a_mail(b"x" * MAIL_BYTES), "it has more than 25 MiB"),
        "one line": (a_mail("a" * MEBIBYTE), ""),
        "one line that wrote": (a_mail("On " + "wrote: " * 150_000 + "\n!x"), ""),
        "spaces": (a_mail(" " * MEBIBYTE + "\n!task delete T-1"), ""),
        "20 MB": (a_mail(b"some words on a line\r\n" * 900_000), ""),
        "colons": (a_mail("On 10:12 a@b:\n" * 60_000), ""),
        "marks": (a_mail("> " * 500_000), ""),
        "quotes": (a_mail('!x "\n' * 200_000), ""),
        "fields": (a_mail("From: a@b\n\n" * 90_000), ""),
        "dashes": (a_mail("-" * MEBIBYTE), ""),
        "html": (a_mail("<div " * 200_000, content_type="text/html"), ""),
        "html depth": (a_mail("<div>" * 200_000, content_type="text/html"), ""),
        "html styles": (a_mail("<style>" * 150_000, content_type="text/html"), ""),
        "html entities": (a_mail("&" * MEBIBYTE, content_type="text/html"), ""),
        "boundary": (
            a_mail(b"--b" * 300_000, content_type='multipart/mixed; boundary="b"'),
            "",
        ),
        "parameters": (a_mail("x", content_type="text/plain; " + ';a="' * 50_000), ""),
        "comments": (a_mail("x", cc="(" * 100_000), ""),
        "words": (a_mail("x", subject="=?utf-8?q?a?= " * 10_000), ""),
        "open quotes": (
            "".join("Cc: " + '\\"' * 7_500 + "\r\n" for _ in range(12)).encode()
            + a_mail("x"),
            "",
        ),
        "groups": (a_mail("x", to="a:" * 5_000), ""),
        "frames": (a_mail(("-" * 399 + "x\n") * 160), ""),
        "recipients": (a_mail("x", to="a@b.org, " * 20_000), ""),
        "references": (a_mail("x", references="<a@b> " * 30_000), ""),
        "base64": (a_mail("=" * MEBIBYTE, content_transfer_encoding="base64"), ""),
        "soft breaks": (
            a_mail("=\n" * 500_000, content_transfer_encoding="quoted-printable"),
            "",
        ),
        "flowed": (
            a_mail("a \n" * 300_000, content_type="text/plain; format=flowed"),
            "",
        ),
        "json": (a_mail('{"command":' * 100_000 + "}"), ""),
    }


BOMBS = bombs()


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_read_or_refused(name: str) -> None:
    """`R-55`."""
    raw, fault = BOMBS[name]

    payload = read(raw, address=ADDRESS)

    assert payload["fault"] == fault
    assert not fault or payload["text"] == ""
    assert payload["from"] == (
        "" if name in ("headers", "long header") else "ann@example.org"
    )
    assert len(canonical_json(payload)) < MEBIBYTE


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_runs_nothing(name: str) -> None:
    """`R-55`."""
    lines = lines_of(parsed(BOMBS[name][0]))

    assert not any("delete" in line for line in lines)


def test_large_attachment_costs_little_memory() -> None:
    """`R-55`."""
    file = "Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = a_multipart(f"{PLAIN}!whoami", file + "QUJD\r\n" * 3_300_000)

    tracemalloc.start()
    payload = read(raw, address=ADDRESS)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert payload["text"] == "!whoami"
    assert peak < 10 * MEBIBYTE


def test_long_text_has_no_last_lines() -> None:
    assert commands_in("word\n" * 50_000 + "!task delete T-1") == []
    assert commands_in("!whoami\n" + "word\n" * 50_000) == ["!whoami"]


@pytest.mark.parametrize("seed", range(6))
def test_mutated_mails_are_no_fault(seed: int) -> None:
    """`R-56`: four bytes in a thousand are changed."""
    random = Random(seed)

    for name in sorted(EXPECTED):
        raw = bytearray((REPLIES / f"{name}.eml").read_bytes())
        for _ in range(max(1, len(raw) // 250)):
            raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        inbound = parsed(bytes(raw))
        assert inbound.envelopes
        assert canonical_json(read(bytes(raw), address=ADDRESS))


PIECES = st.sampled_from(
    [
        b"From: ann@example.org\r\n", b"Subject: ", b"Content-Type: multipart/mixed;",
        b' boundary="b"', b"\r\n", b"\n", b"\r\n\r\n", b"--b", b"--b--", b"\0", b"=?utf-8?b?",
        b"?=", b"Content-Type: text/html; charset=", b"utf-16", b"<p>", b"> ", b"!whoami",
        b"Content-Transfer-Encoding: base64\r\n", b"Content-Disposition: attachment;",
        b" filename*0*=utf-8''%ff", b"; name=\xff", b"charset*=x'y'z", b"{", b'"command"',
        b"format=flowed", b"\xed\xa0\x80", b"To: ops+", b"@example.org", b"Date: ", b"(", b"<",
    ]
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(PIECES | st.binary(max_size=8), max_size=25))
def test_no_bytes_are_a_fault(pieces: list[bytes]) -> None:
    """`R-56`: whatever comes, there is a payload that can be stored."""
    raw = b"".join(pieces)

    assert canonical_json(read(raw, address=ADDRESS))
    assert parsed(raw).envelopes
