"""A webhook's secret is changed at one of two gateways, while deliveries come in."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import httpx2
import pytest

from channels.testing.webhook import sign_as
from tests.faults.gateway import GatewayProcess, client

SECRETS = [f"a-chosen-secret-of-round-{number}" for number in range(3)]

pytestmark = pytest.mark.xdist_group("postgres-faults")


@pytest.fixture
def alike(migrated_url: str, tmp_path: Path) -> Iterator[Sequence[GatewayProcess]]:
    """Two gateways with one database and one keystore."""
    both = [GatewayProcess(tmp_path, database_url=migrated_url) for _ in range(2)]
    try:
        for each in both:
            each.start()
        yield both
    finally:
        for each in both:
            each.end()


class Sender:
    """Signs as GitHub does, each delivery a message of its own."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http
        self._numbers = count()
        self.statuses: list[int] = []

    async def deliver(self, gateway: GatewayProcess, secret: str) -> int:
        """Deliver one message and tell how it was answered."""
        body = b'{"number": %d}' % next(self._numbers)
        headers = sign_as("github", body, secret=secret, now=datetime.now(UTC))
        answer = await self._http.post(
            f"{gateway.url}/v1/channels/webhook/rotated", content=body, headers=headers
        )
        self.statuses.append(answer.status_code)
        return answer.status_code

    @asynccontextmanager
    async def at_work(self, gateways: Sequence[GatewayProcess]) -> AsyncIterator[None]:
        """Deliver 20 times a second with the first secret, to one after the other."""

        async def work() -> None:
            while True:
                for each in gateways:
                    await self.deliver(each, SECRETS[0])
                    await asyncio.sleep(0.05)

        async with asyncio.TaskGroup() as group:
            task = group.create_task(work())
            yield
            task.cancel()


async def rotate(
    http: httpx2.AsyncClient, gateway: GatewayProcess, secret: str, overlap: str
) -> None:
    answer = await http.post(
        f"{gateway.url}/v1/webhooks/rotated/rotate",
        json={"secret": secret, "overlap": overlap},
    )
    assert answer.status_code == 200, answer.text


async def test_rotation_counts_at_every_process_from_its_answer_on(
    alike: Sequence[GatewayProcess],
) -> None:
    """R-06: old out on both without a restart, and both in during an overlap."""
    async with client() as http:
        made = await http.post(
            f"{alike[0].url}/v1/webhooks",
            json={"name": "rotated", "auth": "github", "secret": SECRETS[0]},
        )
        assert made.status_code == 201, made.text
        sender = Sender(http)
        async with sender.at_work(alike):
            before = [await sender.deliver(each, SECRETS[0]) for each in alike]
            await rotate(http, alike[0], SECRETS[1], "0s")
            old = [await sender.deliver(each, SECRETS[0]) for each in alike]
            new = [await sender.deliver(each, SECRETS[1]) for each in alike]
            await rotate(http, alike[1], SECRETS[2], "1h")
            overlap = [
                await sender.deliver(each, secret)
                for each in alike
                for secret in SECRETS[1:]
            ]

    assert (before, old, new) == ([202, 202], [401, 401], [202, 202])
    assert overlap == [202] * 4
    assert set(sender.statuses) == {202, 401}
