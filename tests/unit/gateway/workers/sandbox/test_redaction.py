"""Secrets are taken out of output, however they are written and cut."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
