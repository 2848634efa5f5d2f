"""A worker that does what is queued when a test asks for it, and no sooner."""

import asyncio
from collections.abc import Mapping

from core.kernel.principal import DEFAULT_TENANT, TenantId
from core.providers.model import Provider
from core.runs.reports import Wanted
from gateway.testing.gateway import Gateway
from gateway.workers.executors.every import executors
from gateway.workers.executors.generate import Generate
from gateway.workers.local import LocalCalls
from gateway.workers.work import Worker

_MOST = 16


async def work_off(
    gateway: Gateway, *, providers: Mapping[str, Provider] | None = None
) -> int:
    """Do every run that waits, all at once, as the embedded worker does; count them."""
    graph = gateway.graph

    async def tenants() -> list[TenantId]:
        return [DEFAULT_TENANT]

    calls = LocalCalls(graph.db, graph.core.vault, tenants=tenants)
    known = executors(
        graph.settings, further=[Generate(providers)] if providers else ()
    )
    worker = Worker(
        calls,
        known,
        folder=graph.settings.work_folder,
        settings=graph.settings.workers,
    )
    claimed = await calls.claim(Wanted(worker="embedded", limit=_MOST))
    await graph.outward.reactor.react_to_news()
    await asyncio.gather(*(worker.work(each) for each in claimed))
    await graph.outward.reactor.react_to_news()
    return len(claimed)
