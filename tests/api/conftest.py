"""Gateways for the tests that speak HTTP, stopped when the test is over."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.settings import LimitSettings
from tests.api.gateway import PLENTY, Gateway, Person
from tests.conftest import FakeClock

Serve = Callable[..., Gateway]


@pytest.fixture
async def serve(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Serve]:
    """Start gateways, each with a database of its own."""
    gateways: list[Gateway] = []

    def start(*, rate: str = PLENTY, login: str = "5/minute") -> Gateway:
        folder = tmp_path / f"gateway-{len(gateways)}"
        limits = LimitSettings(default=rate, login=login)
        gateways.append(Gateway(folder, clock, limits))
        return gateways[-1]

    yield start
    for gateway in gateways:
        await gateway.stop()


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    """A gateway with hardly any limit."""
    return serve()


@pytest.fixture
def ann(gateway: Gateway) -> Person:
    """An operator."""
    return gateway.person("ann")


@pytest.fixture
def bob(gateway: Gateway) -> Person:
    """Another operator."""
    return gateway.person("bob")
