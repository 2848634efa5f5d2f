"""An agent, and how it is shown; pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.kernel.clock import to_iso
from core.kernel.jsons import Json


class AgentStatus(StrEnum):
    """What an agent says of itself."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Somebody or something that takes on tasks, known by name.

    Shape:  `status` is the agent's own word; `is_available` is the switch by which
            people give it new work or none.
    """

    name: str
    role: str = ""
    skills: tuple[str, ...] = ()
    status: AgentStatus = AgentStatus.AVAILABLE
    is_available: bool = True
    last_seen: datetime
    registered_at: datetime


def view(agent: Agent) -> dict[str, Json]:
    """Show an agent as JSON; times in ISO 8601."""
    return {
        "id": agent.name,
        "name": agent.name,
        "role": agent.role,
        "skills": list(agent.skills),
        "status": agent.status.value,
        "is_available": agent.is_available,
        "last_seen": to_iso(agent.last_seen),
        "registered_at": to_iso(agent.registered_at),
    }
