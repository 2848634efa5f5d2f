"""Our check of a signature against the library's own, which knows only the present."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from channels.webhook.schemes import standard
from core.kernel.problems import Unauthenticated

KEY = b"k" * 32
OTHER = b"o" * 32
NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)

IDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="."),
    min_size=1,
    max_size=40,
)


def headers_of(
    message_id: str, at: datetime, body: str, key: bytes = KEY
) -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign(message_id, at, body),
    }


def is_ours(headers: dict[str, str], body: bytes, now: datetime) -> bool:
    try:
        standard.parse(headers).prove(body, keys=[KEY], now=now)
    except Unauthenticated:
        return False
    return True


@settings(deadline=None)
@given(message_id=IDS, body=st.text(), key=st.sampled_from([KEY, OTHER]))
def test_check_agrees_with_the_library(message_id: str, body: str, key: bytes) -> None:
    """`R-04`."""
    now = datetime.now(UTC)
    headers = headers_of(message_id, now, body, key)

    try:
        Webhook(KEY).verify(body, headers, json_parse=False)
        is_theirs = True
    except WebhookVerificationError:
        is_theirs = False

    assert is_ours(headers, body.encode(), now) is is_theirs is (key == KEY)


@settings(deadline=None)
@given(body=st.binary(min_size=1), place=st.integers(0), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_refused(
    body: bytes, place: int, bit: int
) -> None:
    """`R-04`."""
    text = body.decode("latin-1")
    headers = headers_of("m", NOW, text)
    raw = bytearray(text.encode())
    raw[place % len(raw)] ^= 1 << bit

    assert is_ours(headers, text.encode(), NOW)
    assert not is_ours(headers, bytes(raw), NOW)


@settings(deadline=None)
@given(
    values=st.fixed_dictionaries(
        {
            "webhook-id": st.text(max_size=20),
            "webhook-timestamp": st.text(max_size=20),
            "webhook-signature": st.text(max_size=60),
        }
    )
)
def test_any_other_headers_are_refused_and_no_fault(values: dict[str, str]) -> None:
    """`R-04`: never anything but a refusal."""
    assert not is_ours(values, b"{}", NOW)


def test_any_of_several_keys_will_do() -> None:
    proof = standard.parse(headers_of("m", NOW, "{}", OTHER))

    proof.prove(b"{}", keys=[KEY, OTHER], now=NOW)
    with pytest.raises(Unauthenticated, match="does not fit"):
        proof.prove(b"{}", keys=[KEY], now=NOW)


def test_no_key_lets_nobody_in() -> None:
    """`R-05`."""
    proof = standard.parse(headers_of("m", NOW, "{}"))

    with pytest.raises(Unauthenticated):
        proof.prove(b"{}", keys=[], now=NOW)


def test_time_is_told_apart_from_the_signature() -> None:
    proof = standard.parse(headers_of("m", NOW, "{}"))

    with pytest.raises(Unauthenticated, match="5 minutes"):
        proof.prove(b"{}", keys=[KEY], now=NOW + timedelta(minutes=6))
