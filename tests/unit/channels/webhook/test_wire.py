"""Headers in, receipt out."""

import json
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.webhook import wire
from core.kernel.problems import InvalidHeader, InvalidJson, Unauthenticated


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
        "x-auth",
        "x-access-key",
        "x-session-id",
    ],
)
def test_header_that_lets_somebody_in_is_not_stored(name: str) -> None:
    stored = wire.storable_headers({name: "x", "x-event": "push"})

    assert stored == {"x-event": "push"}


@pytest.mark.parametrize("name", ["x-author", "x-design", "x-monkey", "x-passage"])
def test_header_that_only_sounds_like_it_is_stored(name: str) -> None:
    assert wire.storable_headers({name: "x"}) == {name: "x"}


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


def basic(pair: bytes) -> str:
    return f"Basic {b64encode(pair).decode()}"


@pytest.mark.parametrize(
    ("header", "password"),
    [
        (basic(b"name:key"), "key"),
        (basic(b":key"), "key"),
        (basic(b"name:k:e:y"), "k:e:y"),
        (basic(b"name:key").replace("Basic", "bAsIc"), "key"),
        ("", ""),
        ("Bearer key", ""),
        ("Basically key", ""),
    ],
)
def test_password_is_what_follows_the_first_colon(header: str, password: str) -> None:
    assert wire.parse_basic(header) == password


@pytest.mark.parametrize(
    "header",
    ["Basic ", "Basic !", basic(b"name"), basic(b"name:"), basic("n:\u00fc".encode())],
)
def test_basic_without_a_password_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated, match="without a password"):
        wire.parse_basic(header)


def test_query_is_kept_without_what_is_secret() -> None:
    query = b"env=prod&env=test&Token=t&sig=s&api_key=k&flag=&name=a%20b"

    assert wire.storable_query(query) == {"env": "test", "flag": "", "name": "a b"}


@settings(deadline=None)
@given(query=st.binary(max_size=6_000))
def test_any_query_is_kept_within_bounds(query: bytes) -> None:
    stored = wire.storable_query(query)

    assert len(stored) <= 50
    assert all(len(name) <= 500 and len(str(stored[name])) <= 500 for name in stored)


def test_body_must_be_text() -> None:
    assert wire.parse_text("é".encode()) == "é"
    with pytest.raises(InvalidJson):
        wire.parse_text(b"\xff")
