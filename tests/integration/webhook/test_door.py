"""The address of an endpoint, as anybody finds it on a whole gateway."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.served import ADMIN_KEY, Served

PATH = "/v1/channels/webhook"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway without any endpoint but the one that everybody has."""
    gateway = Served(tmp_path)
    await gateway.start()
    yield gateway
    await gateway.stop()


@pytest.mark.parametrize("name", ["echo", "nothing-here"])
async def test_other_methods_are_told_which_one_it_takes(
    served: Served, name: str
) -> None:
    """Whoever opens the address in a browser learns what it is for, and no more."""
    async with served.client("") as client:
        answers = [
            await client.request(method, f"{PATH}/{name}")
            for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")
        ]

    assert {each.status_code for each in answers} == {405}
    assert {each.headers["allow"] for each in answers} == {"POST"}
    assert {each.json()["fix"][0] for each in answers} == {"use POST"}


async def test_each_delivery_has_its_own_answer(served: Served) -> None:
    """R-57: nothing that a sender may write is a fault of ours."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    deliveries = [
        ("echo", b"{}", 202),
        ("echo/", b"{}", 202),
        ("echo?env=prod", b"a=1", 202),
        ("echo", b"", 202),
        ("echo", b"<a/>", 400),
        ("echo", b"x" * 1_048_577, 413),
        ("nothing-here", b"{}", 404),
        ("..%2fecho", b"{}", 404),
    ]

    async with served.client(ADMIN_KEY) as client:
        found = [
            await client.post(f"{PATH}/{path}", content=body, headers=headers)
            for path, body, _ in deliveries
        ]

    assert [each.status_code for each in found] == [each[2] for each in deliveries]


async def test_what_was_delivered_is_shown_within_two_seconds(served: Served) -> None:
    """The delivery, its outcome, and the way it was proven."""
    async with served.client() as client:
        receipt = (await client.post(f"{PATH}/echo", json={"n": 1})).json()
        shown = await client.get("/v1/webhooks/echo/deliveries?limit=1")

    assert shown.json()["items"][0]["id"] == receipt["request_id"]


async def test_many_at_once_are_all_taken(served: Served) -> None:
    """R-16: 202 or 503, and never 429."""
    async with served.client() as client:
        answers = [
            await client.post(f"{PATH}/echo", json={"n": number})
            for number in range(80)
        ]

    assert {each.status_code for each in answers} <= {202, 503}
