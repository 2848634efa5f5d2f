"""Headers in, receipt out."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.webhook import wire
from core.kernel.problems import InvalidHeader


def test_key_is_trimmed_and_bounded() -> None:
    assert wire.parse_key({"idempotency-key": " k "}) == "k"
    assert wire.parse_key({}) == ""
    with pytest.raises(InvalidHeader):
        wire.parse_key({"idempotency-key": "k" * 256})


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "proxy-authorization",
        "cookie",
        "set-cookie",
        "x-api-key",
        "x-gitlab-token",
        "x-hub-signature-256",
        "webhook-signature",
        "x-secret",
        "x-amz-security-token",
        "apikey",
        "x-password",
        "x-credential",
    ],
)
def test_header_that_lets_somebody_in_is_not_stored(name: str) -> None:
    stored = wire.storable_headers({name: "x", "x-event": "push"})

    assert stored == {"x-event": "push"}


@settings(deadline=None)
@given(headers=st.dictionaries(st.text(max_size=8), st.text(max_size=900), max_size=80))
def test_stored_headers_are_bounded(headers: dict[str, str]) -> None:
    stored = wire.storable_headers(headers)

    assert len(stored) <= 50
    assert all(len(str(value)) <= 500 for value in stored.values())
    assert stored.keys() <= headers.keys()


def test_receipt_names_the_request_and_where_its_answer_is() -> None:
    receipt = json.loads(
        wire.render_receipt("rq_1", "https://ops.example/v1/commands/rq_1")
    )

    assert receipt == {
        "request_id": "rq_1",
        "url": "https://ops.example/v1/commands/rq_1",
    }
