"""Which pages may connect."""

import pytest

from channels.websocket.origin import is_allowed

HOST = (b"host", b"ops.example.com")


@pytest.mark.parametrize(
    ("origin", "scheme"),
    [(b"https://ops.example.com", "wss"), (b"http://ops.example.com", "ws")],
)
def test_own_page_may_connect(origin: bytes, scheme: str) -> None:
    assert is_allowed([HOST, (b"origin", origin)], scheme=scheme)


def test_scheme_must_be_that_of_the_connection() -> None:
    assert not is_allowed([HOST, (b"origin", b"http://ops.example.com")], scheme="wss")


def test_named_page_may_connect() -> None:
    headers = [HOST, (b"origin", b"https://console.example.com")]

    assert is_allowed(headers, scheme="wss", allowed=["https://console.example.com"])
    assert not is_allowed(headers, scheme="wss")


def test_no_origin_is_no_browser() -> None:
    assert is_allowed([HOST], scheme="wss")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"origin", b"https://ops.example.com")],
        [HOST, HOST, (b"origin", b"https://ops.example.com")],
        [HOST, *[(b"origin", b"https://ops.example.com")] * 2],
        [HOST, (b"origin", b"")],
        [HOST, (b"origin", b"null")],
        [HOST, (b"origin", b"https://ops.example.com\xff")],
    ],
)
def test_headers_that_no_browser_sends_are_refused(
    headers: list[tuple[bytes, bytes]],
) -> None:
    assert not is_allowed(headers, scheme="wss")
