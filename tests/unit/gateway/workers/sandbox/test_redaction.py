"""Secrets are taken out of output, however they are written and cut."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.sanitise import sanitise
from gateway.workers.sandbox.redaction import Redactor

KEY = "corr3ct/horse+battery="  # pragma: allowlist secret
WORDS = st.text("abcxyz01/+= \n", min_size=8, max_size=30).filter(
    lambda text: len(text.strip()) >= 8 and "\n" not in text
)


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        quote(KEY, safe=""),
        b64encode(KEY.encode()).decode(),
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
    ],
)
def test_a_secret_is_hidden_in_the_usual_encodings(written: str) -> None:
    """R-69."""
    shown = Redactor([KEY]).whole(f"before {written} after")

    assert shown.startswith("before ***")
    assert shown.endswith(" after")
    assert written not in shown


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_secret_is_hidden_inside_of_what_was_encoded(
    before: str, encode: Callable[[bytes], bytes]
) -> None:
    """R-69: `user:password`, as it stands in a header."""
    written = encode(f"{before}{KEY}:after".encode()).decode()

    assert b64encode(KEY.encode()).decode()[2:-4] not in Redactor([KEY]).whole(written)
    assert "***" in Redactor([KEY]).whole(written)


@given(WORDS, st.lists(st.integers(0, 60)), st.text(max_size=20), st.text(max_size=20))
def test_no_cut_shows_a_secret(
    secret: str, cuts: list[int], before: str, after: str
) -> None:
    """R-69: also when it is split over two reads, or more."""
    text = f"{before}{secret}{after}".encode("utf-8", "replace")
    redactor = Redactor([secret])
    places = sorted({min(each, len(text)) for each in cuts} | {0, len(text)})

    shown = [redactor.feed(text[begin:end]) for begin, end in pairwise(places)]

    assert secret.encode() not in b"".join((*shown, redactor.flush()))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_what_is_no_secret_is_shown_as_it_is(text: bytes, cut: int) -> None:
    redactor = Redactor(["never-in-there-at-all"])

    shown = redactor.feed(text[:cut]) + redactor.feed(text[cut:]) + redactor.flush()

    assert shown == text


def test_the_lines_of_a_long_secret_are_hidden_one_by_one() -> None:
    """R-69: a private key is printed line by line."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n"

    assert "MIIEv" not in Redactor([key]).whole("> MIIEvQIBADANBg <")


def test_texts_in_values_are_redacted() -> None:
    shown = Redactor([KEY]).json({KEY: [KEY, 1, None, {"a": f"x{KEY}"}]})

    assert shown == {"***": ["***", 1, None, {"a": "x***"}]}


def test_nothing_is_held_back_that_cannot_be_a_secret() -> None:
    assert Redactor([KEY]).feed(b"ready\n") == b"ready\n"


UNSEEN = [
    "\x1b[0m",
    "\x1b[38;5;1m",
    "\x1b]0;title\x07",
    "\x1b]8;;\x1b\\",
    "\r",
    "\u200b",
]


@pytest.mark.parametrize("unseen", [*UNSEEN, "\x1b(B", "\x9b1m", "\x1b[1m\x1b[4m"])
@pytest.mark.parametrize("at", [1, 5, len(KEY) - 1])
def test_a_secret_is_hidden_that_is_cut_by_what_nobody_sees(
    unseen: str, at: int
) -> None:
    """R-69: what shows the log drops colours, and the secret would be whole again."""
    text = f"a {KEY[:at]}{unseen}{KEY[at:]} b"

    assert Redactor([KEY]).whole(text) == "a *** b"
    assert sanitise(_byte_by_byte(text)) == "a *** b"


@given(st.lists(st.sampled_from(UNSEEN), max_size=4), st.lists(st.integers(0, 80)))
def test_no_cut_shows_a_coloured_secret(unseen: list[str], cuts: list[int]) -> None:
    """R-69: each part of it in another colour, and split over any reads."""
    parts = [KEY[at : at + 5] for at in range(0, len(KEY), 5)]
    colours = [*unseen, *[""] * len(parts)]
    text = "".join(map("".join, zip(colours, parts, strict=False))).encode()
    places = sorted({min(each, len(text)) for each in cuts} | {0, len(text)})
    redactor = Redactor([KEY])

    shown = [redactor.feed(text[begin:end]) for begin, end in pairwise(places)]

    seen = sanitise(b"".join((*shown, redactor.flush())).decode())
    assert seen == "***"


def test_a_title_without_an_end_is_not_held_for_ever() -> None:
    """R-69: and the secret around it is hidden all the same."""
    redactor = Redactor([KEY])

    shown = redactor.feed(KEY[:5].encode() + b"\x1b]0;")
    for _ in range(50):
        shown += redactor.feed(b"x" * 10_000)
        assert len(redactor._held) < 30_000
    shown += redactor.feed(b"\x07" + KEY[5:].encode()) + redactor.flush()

    assert shown == b"***"


def test_a_secret_inside_of_a_title_is_hidden() -> None:
    assert Redactor([KEY]).whole(f"\x1b]0;{KEY}\x07") == "\x1b]0;***\x07"


def _byte_by_byte(text: str) -> str:
    redactor = Redactor([KEY])
    shown = b"".join(redactor.feed(bytes([each])) for each in text.encode())
    return (shown + redactor.flush()).decode()
