"""kill -9 under load: what was acknowledged is there once, and nothing else is."""

import asyncio
import logging
import random

import pytest

from tests.faults.gateway import GatewayProcess
from tests.faults.load import Load, check_stored

_log = logging.getLogger(__name__)

READY_SECONDS = 30
GENTLE_SECONDS = (0.1, 1.2)


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.soak)])
async def test_a_killed_gateway_keeps_what_it_acknowledged(
    gateway_process: GatewayProcess, kills: int
) -> None:
    """R-01: at random moments, under 16 clients that retry with the same key."""
    load = Load([gateway_process.url])

    async with load.running():
        for _ in range(kills):
            await asyncio.sleep(random.uniform(*GENTLE_SECONDS))
            gateway_process.kill()
            await asyncio.to_thread(gateway_process.start)
    gateway_process.kill()

    check_stored(load, gateway_process.database_url)
    assert max(gateway_process.starts) < READY_SECONDS
    _log.info(
        "%d acknowledged, starts up to %.2f s",
        len(load.acknowledged), max(gateway_process.starts),
    )  # fmt: skip
