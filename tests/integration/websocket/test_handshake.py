"""Who may open a WebSocket, and how they say who they are."""

import json
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.integration.websocket.conftest import Serve
from tests.integration.websocket.gateway import ADMIN_KEY, Client, Gateway

OWN = "http://127.0.0.1"


async def status_of(gateway: Gateway, *, query: str = "", **options: Any) -> int:
    """Ask for an upgrade that must be refused; return the HTTP status."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(gateway.url() + query, **options):
            pass
    return refused.value.response.status_code


async def test_header_is_enough(gateway: Gateway) -> None:
    """A client that is no browser need not say hello."""
    async with gateway.connected() as client:
        assert client.welcome["protocol"] == 1
        assert client.welcome["session"].startswith("ws_")
        assert (await client.exec("x1", "task list"))["reply"]["status"] == "ok"


async def test_header_and_hello_get_one_welcome(gateway: Gateway) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with connect(gateway.url(), additional_headers=headers) as raw:
        client = Client(raw)
        await client.send(t="hello", protocol=1)
        await client.send(t="ping")

        assert [(await client.receive())["t"] for _ in range(2)] == ["welcome", "pong"]


async def test_hello_with_a_token_is_enough(gateway: Gateway) -> None:
    async with gateway.greeted() as client:
        reply = await client.exec("x1", "task list")

    assert reply["reply"]["actor"] == "admin"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"t": "hello", "protocol": 1, "token": "wrong"}, "unauthenticated"),
        ({"t": "hello", "protocol": 1}, "unauthenticated"),
        ({"t": "hello", "protocol": 2, "token": ADMIN_KEY}, "invalid_argument"),
        ({"t": "exec", "id": "x1", "line": "task list"}, "unauthenticated"),
        ({"t": "ping"}, "unauthenticated"),
        ([], "invalid_argument"),
    ],
)
async def test_bad_first_frame_is_told_why_and_cut(
    gateway: Gateway, first: object, code: str
) -> None:
    async with connect(gateway.url()) as raw:
        client = Client(raw)
        await raw.send(json.dumps(first))

        error = await client.take("error")

        assert error["code"] == code
        assert error["fix"]
        assert await client.closed() == 1008


async def test_silent_client_is_cut(serve: Serve) -> None:
    gateway = await serve(hello_seconds=0.02)
    async with connect(gateway.url()) as raw:
        client = Client(raw)

        assert (await client.take("error"))["code"] == "unauthenticated"
        assert await client.closed() == 1008


async def test_wrong_header_is_refused_before_the_upgrade(gateway: Gateway) -> None:
    headers = {"Authorization": "Bearer nothing"}

    assert await status_of(gateway, additional_headers=headers) == 401


async def test_a_header_that_comes_twice_is_refused(gateway: Gateway) -> None:
    """R-62: also when one of the two is good."""
    given = ("Bearer nothing", f"Bearer {ADMIN_KEY}")
    headers = [("Authorization", each) for each in given]

    assert await status_of(gateway, additional_headers=headers) == 401


async def test_token_in_the_address_is_refused(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """`R-38`: even with a good header beside it; and no log repeats it (`R-69`)."""
    caplog.set_level("DEBUG")
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    for name in ("token=", "key=", "access_token=", "TOKEN=", "%74oken=", "a;key=", ""):
        query = f"?{name}{ADMIN_KEY}"
        assert await status_of(gateway, query=query, additional_headers=headers) == 400

    ours = [each.getMessage() for each in caplog.records if "client" not in each.name]
    assert not any(ADMIN_KEY in message for message in ours)


async def test_own_and_allowed_origins_connect(gateway: Gateway) -> None:
    """`R-38`: a missing Origin is no trust either; every one of them signs in."""
    own = f"{OWN}:{gateway.port}"
    for origin in (own, "https://console.example.com", None):
        async with connect(gateway.url(), origin=origin) as raw:  # type: ignore[arg-type]
            client = Client(raw)
            await client.send(t="ping")
            assert (await client.take("error"))["code"] == "unauthenticated"


FOREIGN = [
    "http://evil.example",
    "http://127.0.0.1.evil.example:{port}",  # prefix
    "http://evil127.0.0.1:{port}",  # suffix
    "https://evil-console.example.com",  # suffix of an allowed one
    "https://console.example.com.evil.example",  # prefix of an allowed one
    "null",
    "https://127.0.0.1:{port}",  # scheme
    "http://127.0.0.1:1",  # port
    "http://127.0.0.1",  # no port
    "http://127.0.0.1:{port}@evil.example",  # user
    "http://user@127.0.0.1:{port}",
    "HTTPS://CONSOLE.EXAMPLE.COM",  # case
    "https://console.example.com.",  # trailing dot
    "https://console.example.com/",
    "https://console.example.com:443",
    "",
    " ",
]


async def test_foreign_origin_is_refused_before_the_upgrade(gateway: Gateway) -> None:
    """`R-38`: though the credential is good."""
    for origin in FOREIGN:
        headers = {
            "Authorization": f"Bearer {ADMIN_KEY}",
            "Origin": origin.format(port=gateway.port),
        }
        assert await status_of(gateway, additional_headers=headers) == 403, origin


async def test_two_origins_are_refused(gateway: Gateway) -> None:
    own = f"{OWN}:{gateway.port}"
    headers = [("Origin", own), ("Origin", own)]

    assert await status_of(gateway, additional_headers=headers) == 400
