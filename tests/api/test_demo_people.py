"""The people of demo mode, as several gateways bring them in at once."""

import asyncio
from contextlib import closing

import pytest

from core.identity.links import service as links
from core.identity.users import service as users
from core.kernel.principal import system
from gateway.flags import FlagFile
from gateway.simulators import DemoPeople, Simulators
from gateway.simulators.stands import SlackStand
from tests.api.gateway import Gateway


async def test_gateways_that_begin_together_are_quiet(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Each person is linked once, whoever was first, and nobody calls it a failure."""
    gateway.settings.flags_file.write_text('{"demoMode": true}')
    graph, stand = gateway.graph, SlackStand()
    several = [
        DemoPeople(
            graph.db,
            graph.pipeline,
            Simulators(slack=stand),
            flags=FlagFile(gateway.settings.flags_file),
            clock=graph.clock,
        )
        for _ in range(3)
    ]

    with closing(stand.port):
        await asyncio.gather(*(each.settle() for each in several))

    for name in ("ann", "bob"):
        user = graph.db.look(
            lambda tx, of=name: users.find_by_name(tx, of), by=system()
        )
        assert user is not None
        linked = graph.db.look(lambda tx, of=user: links.list_(tx, of.id), by=system())
        assert [each.account.channel for each in linked] == ["slack"]
    assert "demo.unlinked" not in caplog.text
