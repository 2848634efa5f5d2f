"""Gateways in processes of their own, none of which outlives its test."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from core.database import open_engine
from core.database.migrate import upgrade
from tests.faults.gateway import GatewayProcess
from tests.services import PostgresServer

StartGateway = Callable[..., GatewayProcess]


@pytest.fixture
def start_gateway(tmp_path: Path) -> Iterator[StartGateway]:
    """Start gateways on SQLite files, behind the words of a tracer if given."""
    gateways: list[GatewayProcess] = []

    def start(*before: str) -> GatewayProcess:
        gateways.append(GatewayProcess(tmp_path / f"gateway-{len(gateways)}"))
        gateways[-1].start(*before)
        return gateways[-1]

    yield start
    for gateway in gateways:
        gateway.end()


@pytest.fixture
def gateway_process(start_gateway: StartGateway) -> GatewayProcess:
    """One gateway on a SQLite file."""
    return start_gateway()


@pytest.fixture(scope="module")
def migrated_url(postgres_server: PostgresServer) -> Iterator[str]:
    """The URL of a Postgres database with our schema, for one module."""
    with postgres_server.database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture(scope="module")
def gateways(
    migrated_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sequence[GatewayProcess]]:
    """Two gateways on one Postgres database."""
    both = [
        GatewayProcess(tmp_path_factory.mktemp("gateway"), database_url=migrated_url)
        for _ in range(2)
    ]
    try:
        for each in both:
            each.start()
        yield both
    finally:
        for each in both:
            each.end()
