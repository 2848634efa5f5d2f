"""A gateway that can be killed, for the tests of the files it leaves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.mirror.process import GatewayProcess


@pytest.fixture
def process(tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway over an empty data folder, started."""
    process = GatewayProcess(tmp_path / "data")
    process.start()
    yield process
    process.kill()
