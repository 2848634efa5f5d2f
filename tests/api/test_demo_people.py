"""The people of demo mode, as several gateways bring them in at once."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Identity
from core.identity.users import service as users
from core.kernel.principal import system
from gateway.flags import FlagFile
from gateway.simulators import DemoPeople, Simulators
from gateway.simulators.stands import SlackStand
from tests.api.gateway import Gateway


async def test_gateways_that_begin_together_are_quiet(
    gateway: Gateway, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each person is linked once, whoever was first, and nobody calls it a failure."""
    flags = tmp_path / "flags.json"
    flags.write_text('{"demoMode": true}')
    graph, stand = gateway.graph, SlackStand()
    several = [
        DemoPeople(
            graph.db,
            graph.pipeline,
            Simulators(slack=stand),
            flags=FlagFile(flags),
            clock=graph.clock,
        )
        for _ in range(3)
    ]

    with closing(stand.port):
        await asyncio.gather(*(each.settle() for each in several))

    for name in ("ann", "bob"):
        linked = graph.db.look(partial(_accounts_of, name=name), by=system())
        assert [each.account.channel for each in linked] == ["slack"]
    assert "demo.unlinked" not in caplog.text


def _accounts_of(tx: Tx, *, name: str) -> Sequence[Identity]:
    user = users.find_by_name(tx, name)
    assert user is not None
    return links.list_(tx, user.id)
