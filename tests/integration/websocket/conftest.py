"""Gateways for the WebSocket tests, stopped when the test is over."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from gateway.http.websocket_connection import Limits
from tests.integration.websocket.gateway import Gateway

Serve = Callable[..., Awaitable[Gateway]]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Start gateways; `server` has keywords of Gateway, the others are those of Limits."""
    gateways: list[Gateway] = []

    async def start(
        *, server: Mapping[str, Any] = MappingProxyType({}), **limits: Any
    ) -> Gateway:
        gateway = Gateway(
            tmp_path / str(len(gateways)), limits=Limits(**limits), **server
        )
        await gateway.start()
        gateways.append(gateway)
        return gateway

    yield start
    for gateway in gateways:
        await gateway.stop()


@pytest.fixture
async def gateway(serve: Serve) -> Gateway:
    """A gateway with the limits of every day."""
    return await serve()
