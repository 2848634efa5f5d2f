"""Whatever a stranger sends as a proof: it is refused, and never a fault of ours."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.testing.webhook import sign_as
from channels.webhook.schemes import SCHEMES
from core.kernel.problems import Unauthenticated

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # pragma: allowlist secret
NAMES = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-hub-signature-256",
    "x-gitlab-token",
    "stripe-signature",
    "x-slack-signature",
    "x-slack-request-timestamp",
    "x-grafana-alerting-signature",
    "x-grafana-alerting-timestamp",
)
VALUES = st.text(max_size=80) | st.from_regex(
    r"(t=[0-9]{1,12},)?(v0=|v1=|v1,|sha256=)?[0-9a-f]{0,70}", fullmatch=True
)


def key_for(scheme: str) -> bytes:
    """Return the bytes that an endpoint of this kind makes of the secret."""
    encoded = SECRET.removeprefix("whsec_")
    return b64decode(encoded) if scheme == "standard" else SECRET.encode()


def is_let_in(scheme: str, headers: Mapping[str, str], body: bytes) -> bool:
    try:
        SCHEMES[scheme](headers).prove(body, keys=[key_for(scheme)], now=NOW)
    except Unauthenticated:
        return False
    return True


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(deadline=None)
@given(headers=st.dictionaries(st.sampled_from(NAMES), VALUES), body=st.binary())
def test_any_headers_are_refused(
    scheme: str, headers: Mapping[str, str], body: bytes
) -> None:
    """`R-04`, `R-19`."""
    assert not is_let_in(scheme, headers, body)


@pytest.mark.parametrize("scheme", [each for each in SCHEMES if each != "gitlab"])
@settings(deadline=None)
@given(text=st.text(min_size=1), place=st.integers(0), bit=st.integers(0, 7))
def test_any_changed_bit_of_the_body_is_refused(
    scheme: str, text: str, place: int, bit: int
) -> None:
    """`R-04`: over raw bytes, whatever they say."""
    body = text.encode()
    headers = sign_as(scheme, body, secret=SECRET, now=NOW)
    spoilt = bytearray(body)
    spoilt[place % len(body)] ^= 1 << bit

    assert is_let_in(scheme, headers, body)
    assert not is_let_in(scheme, headers, bytes(spoilt))


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(deadline=None)
@given(place=st.integers(0), bit=st.integers(0, 6))
def test_any_changed_bit_of_a_proof_is_refused(
    scheme: str, place: int, bit: int
) -> None:
    """`R-04`: of the headers that prove something, all but what nobody looks at."""
    headers = sign_as(scheme, b"{}", secret=SECRET, now=NOW)
    proofs = [each for each in headers if each in NAMES]
    name = proofs[place % len(proofs)]
    value = headers[name].partition(",v0=")[0]
    at = place % len(value)
    spoilt = value[:at] + chr(ord(value[at]) ^ 1 << bit) + value[at + 1 :]

    assert not is_let_in(scheme, {**headers, name: spoilt}, b"{}")
