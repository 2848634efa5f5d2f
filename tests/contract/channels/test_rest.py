"""REST has no folder of its own; it is held against the same thirty lines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from channels.testing.conformance import THIRTY
from core.kernel.envelope import Envelope
from gateway.settings import LimitSettings
from tests.api.gateway import ADMIN_KEY, PLENTY, Gateway
from tests.conftest import FakeClock

DRY = " --dry-run"


@pytest.fixture
async def gateway(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Gateway]:
    """A gateway on which nothing has happened yet."""
    gateway = Gateway(tmp_path / "data", clock, LimitSettings(default=PLENTY))
    yield gateway
    await gateway.stop()


async def test_thirty_examples_are_understood_as_they_were_written(
    gateway: Gateway,
) -> None:
    """Bronze: by HTTP a line comes to the same as when nothing carries it."""
    admin = await gateway.graph.auth.authenticate(f"Bearer {ADMIN_KEY}")
    for line in THIRTY:
        envelope = Envelope(
            channel="rest", text=line, received_at=gateway.clock.now(), credential=admin
        )
        direct = (await gateway.graph.pipeline.handle(envelope)).reply

        dry = f"{line.removesuffix(DRY)}{DRY}"
        reply = (await gateway.admin.say(dry)).body

        code = reply["error"] and reply["error"]["code"]
        assert code == (direct.error and direct.error.code), line
        assert reply["command"].removesuffix(DRY) == direct.command.removesuffix(DRY)
