"""A gateway on a loopback port for every integration test that asks for one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.served import Served

Serving = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    """Start gateways, keywords are settings; they stop when the test is over."""
    gateways: list[Served] = []

    async def start(**settings: Any) -> Served:
        gateway = Served(tmp_path / f"data-{len(gateways)}", **settings)
        await gateway.start()
        gateways.append(gateway)
        return gateway

    yield start
    for gateway in gateways:
        await gateway.stop()


@pytest.fixture
async def gateway(serving: Serving) -> Served:
    """A gateway with the settings of every day, but hardly any rate limit."""
    return await serving()
