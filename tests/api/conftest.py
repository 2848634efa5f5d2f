"""Gateways for the tests that speak HTTP, stopped when the test is over."""

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.bootstrap import build
from gateway.settings import LimitSettings, Settings
from tests.api.gateway import PLENTY, Gateway, Person
from tests.conftest import FakeClock

Serve = Callable[..., Gateway]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a gateway that was started once; its schema takes a while."""
    folder = tmp_path_factory.mktemp("installed") / "data"
    build(Settings(data=folder), clock=FakeClock()).db.close()
    return folder


@pytest.fixture
async def serve(
    tmp_path: Path, installed: Path, clock: FakeClock
) -> AsyncIterator[Serve]:
    """Start gateways, each with a database of its own."""
    gateways: list[Gateway] = []

    def start(
        *, rate: str = PLENTY, login: str = "5/minute", **settings: Any
    ) -> Gateway:
        folder = tmp_path / f"gateway-{len(gateways)}"
        shutil.copytree(installed, folder)
        limits = LimitSettings(default=rate, login=login)
        gateways.append(Gateway(folder, clock, limits, **settings))
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
