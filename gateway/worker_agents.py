"""Shows workers among the agents: they come online, drain, and are lost."""

from core.collab.agents import service as agents
from core.collab.agents.model import AgentStatus
from core.database import Tx
from core.events.model import Event, EventFilter
from core.runs.workers import service as workers
from core.runs.workers.model import WorkerState

ROLE = "worker"

_STATUS = {
    WorkerState.ONLINE: AgentStatus.AVAILABLE,
    WorkerState.DRAINING: AgentStatus.BUSY,
    WorkerState.LOST: AgentStatus.OFFLINE,
}


class WorkerAgents:
    """The consumer that registers workers as agents, with their labels as skills.

    Shape:  an agent of the same name that is something else stays what it is.
    """

    name = "worker-agents"

    def wanted(self, tx: Tx) -> EventFilter | None:
        """Want whatever changes the state of a worker."""
        return EventFilter(types=frozenset(f"worker_{state}" for state in WorkerState))

    def react(self, tx: Tx, event: Event) -> None:
        """Note how the worker stands now.

        Raises: NotFound when it was forgotten meanwhile.
        """
        worker = workers.get_(tx, event.target)
        known = agents.list_(tx)
        if all(each.role == ROLE for each in known if each.name == worker.name):
            agents.register(
                tx,
                worker.name,
                role=ROLE,
                skills=sorted(worker.labels),
                status=_STATUS[worker.state],
            )
