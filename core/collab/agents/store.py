"""Queries over the agent table."""

import orjson
from sqlalchemy import bindparam, literal_column, select

from core.collab.agents.model import Agent, AgentStatus
from core.collab.agents.tables import agents
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.jsons import canonical_json

_COLUMNS = (
    agents.c.name,
    agents.c.role,
    agents.c.skills,
    agents.c.status,
    agents.c.is_available,
    agents.c.last_seen,
    agents.c.created_at,
)
# Prepared statements take named values alone, hence the literal column below.
_MINE = agents.c.tenant_id == bindparam("tenant")
_BY_NAME = Prepared(select(*_COLUMNS).where(_MINE, agents.c.name == bindparam("who")))
_ALL = Prepared(select(*_COLUMNS).where(_MINE).order_by(agents.c.name))
_UPDATE = Prepared(
    agents.update()
    .where(_MINE, agents.c.name == bindparam("who"))
    .values(
        role=bindparam("role"),
        skills=bindparam("skills"),
        status=bindparam("status"),
        is_available=bindparam("is_available"),
        last_seen=bindparam("last_seen"),
        version=agents.c.version + literal_column("1"),
    )
)


def find(tx: Tx, name: str) -> Agent | None:
    """Find an agent by its name."""
    rows = tx.run(_BY_NAME, who=name)
    return _to_agent(rows[0]) if rows else None


def list_all(tx: Tx) -> list[Agent]:
    """List every agent by name, compared by code points on both engines."""
    return sorted(map(_to_agent, tx.run(_ALL)), key=lambda agent: agent.name)


def insert(tx: Tx, agent: Agent) -> None:
    """Store a new agent."""
    tx.insert(agents, {"name": agent.name, **_changing(agent)})


def update(tx: Tx, agent: Agent) -> None:
    """Store an agent's present state."""
    tx.change(_UPDATE, who=agent.name, **_changing(agent))


def _changing(agent: Agent) -> dict[str, object]:
    return {
        "role": agent.role,
        "skills": canonical_json(agent.skills).decode(),
        "status": agent.status.value,
        "is_available": int(agent.is_available),
        "last_seen": to_micros(agent.last_seen),
    }


def _to_agent(row: Row) -> Agent:
    name, role, skills, status, is_available, last_seen, created_at = row
    return Agent(
        name=name,
        role=role,
        skills=tuple(orjson.loads(skills)),
        status=AgentStatus(status),
        is_available=bool(is_available),
        last_seen=from_micros(last_seen),
        registered_at=from_micros(created_at),
    )
