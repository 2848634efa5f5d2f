"""Shutdown under load: in order, in time, and without a loss."""

import asyncio
import signal
from collections.abc import Sequence

import httpx2
import pytest

from tests.faults.gateway import GatewayProcess
from tests.faults.load import Load, check_stored

soak = pytest.mark.soak


@pytest.mark.parametrize(
    ("sig", "times", "rounds"),
    [
        (signal.SIGTERM, 1, 2),
        (signal.SIGTERM, 2, 1),
        (signal.SIGINT, 1, 1),
        pytest.param(signal.SIGTERM, 1, 50, marks=soak),
        pytest.param(signal.SIGTERM, 2, 20, marks=soak),
        pytest.param(signal.SIGINT, 1, 20, marks=soak),
    ],
)
async def test_a_stopped_gateway_finishes_what_it_took(
    gateway_process: GatewayProcess, sig: signal.Signals, times: int, rounds: int
) -> None:
    """R-29: 0 acknowledged lost, ended within 30 s, no traceback."""
    load = Load([gateway_process.url])

    async with load.running():
        for _ in range(rounds):
            await load.more(32)
            code = await asyncio.to_thread(gateway_process.stop, sig, times=times)
            assert code in (0, -sig, 128 + sig)
            await asyncio.to_thread(gateway_process.start)
    gateway_process.stop()

    check_stored(load, gateway_process.database_url)
    assert "Traceback" not in gateway_process.log.read_text()


async def test_readiness_goes_first(gateway_process: GatewayProcess) -> None:
    """R-29: a balancer hears 503 before connections are refused, and no 200 after."""
    async with httpx2.AsyncClient() as http:
        watching = asyncio.create_task(_watch(http, f"{gateway_process.url}/readyz"))
        await asyncio.sleep(0.05)
        await asyncio.to_thread(gateway_process.stop)
        seen = await watching

    assert seen == sorted(seen)
    assert set(seen) <= {200, 503}


async def _watch(http: httpx2.AsyncClient, url: str) -> Sequence[int]:
    """Ask until nobody answers; return the statuses in their order."""
    seen: list[int] = []
    while True:
        try:
            seen.append((await http.get(url)).status_code)
        except httpx2.TransportError:
            return seen
