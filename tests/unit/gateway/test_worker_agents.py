"""Workers are shown among the agents, as they come and go."""

from core.collab.agents import service as agents
from core.collab.agents.model import AgentStatus
from core.database import Database
from core.kernel.principal import DEFAULT_TENANT, Principal, TenantId
from core.runs.reports import Wanted
from core.runs.workers import service as workers
from core.runs.workers.model import SILENT_AFTER
from gateway.reactor import Reactor
from gateway.worker_agents import WorkerAgents
from tests.conftest import FakeClock

GPU = Wanted(worker="builder-1", labels=frozenset({"gpu"}))


async def react(db: Database) -> None:
    async def tenants() -> list[TenantId]:
        return [DEFAULT_TENANT]

    reactor = Reactor(db, (WorkerAgents(),), tenants=tenants, on_posted=lambda: None)
    await reactor.react_to_news()


async def test_a_worker_comes_drains_and_is_lost(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """M-COL: with its labels as skills."""
    await react(db)
    seen = []
    for change in (
        lambda tx: workers.register(tx, GPU),
        lambda tx: workers.drain(tx, "builder-1"),
        lambda tx: workers.resume(tx, "builder-1"),
    ):
        db.run(change, by=ann)
        await react(db)
        seen.append(db.look(lambda tx: agents.get_(tx, "builder-1"), by=ann))
    clock.advance(2 * SILENT_AFTER)
    db.run(workers.sweep, by=ann)
    await react(db)
    lost = db.look(lambda tx: agents.get_(tx, "builder-1"), by=ann)

    assert [each.status for each in (*seen, lost)] == [
        AgentStatus.AVAILABLE,
        AgentStatus.BUSY,
        AgentStatus.AVAILABLE,
        AgentStatus.OFFLINE,
    ]
    assert (lost.role, lost.skills) == ("worker", ("gpu",))


async def test_an_agent_of_the_same_name_stays_what_it_is(
    db: Database, ann: Principal
) -> None:
    db.run(lambda tx: agents.register(tx, "builder-1", role="person"), by=ann)
    await react(db)

    db.run(lambda tx: workers.register(tx, GPU), by=ann)
    await react(db)

    found = db.look(lambda tx: agents.get_(tx, "builder-1"), by=ann)
    assert (found.role, found.skills) == ("person", ())
