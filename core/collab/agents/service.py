"""Register agents, see them and switch them on and off."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from core.collab.agents import store
from core.collab.agents.model import Agent, AgentStatus, view
from core.database import Tx
from core.events import service as events
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.texts import require_line

COLLECTION = "agents"
SEEN_EVERY = timedelta(seconds=10)
_NAME_LIMIT = 100
_SKILLS_LIMIT = 50


def register(
    tx: Tx,
    name: str,
    *,
    role: str = "",
    skills: Sequence[str] = (),
    status: AgentStatus = AgentStatus.AVAILABLE,
) -> Agent:
    """Make an agent known, or renew what is known of it; its switch stays as it is.

    Raises: InvalidArgument.
    """
    require_line("name", name, limit=_NAME_LIMIT)
    known = store.find(tx, name)
    agent = Agent(
        name=name,
        role=require_line("role", role, limit=_NAME_LIMIT, least=0),
        skills=_checked(skills),
        status=status,
        is_available=known.is_available if known else True,
        last_seen=tx.now,
        registered_at=known.registered_at if known else tx.now,
    )
    if known:
        return _save(tx, known, agent)
    store.insert(tx, agent)
    return _tell(tx, agent, view(agent))


def set_available(tx: Tx, name: str, *, is_available: bool) -> Agent:
    """Give an agent new work from now on, or none.

    Raises: NotFound.
    """
    agent = get_(tx, name)
    return _save(tx, agent, replace(agent, is_available=is_available))


def set_status(tx: Tx, name: str, status: AgentStatus) -> Agent:
    """Note what an agent says of itself.

    Raises: NotFound.
    """
    agent = get_(tx, name)
    return _save(tx, agent, replace(agent, status=status, last_seen=tx.now))


def touch(tx: Tx, name: str) -> Agent:
    """Note that an agent was heard of; within 10 seconds only the first time counts.

    Raises: NotFound.
    """
    agent = get_(tx, name)
    if tx.now - agent.last_seen < SEEN_EVERY:
        return agent
    return _save(tx, agent, replace(agent, last_seen=tx.now))


def get_(tx: Tx, name: str) -> Agent:
    """Get an agent.

    Raises: NotFound, InvalidArgument when the text can be nobody's name.
    """
    agent = store.find(tx, require_line("name", name, limit=_NAME_LIMIT))
    if agent is None:
        raise NotFound(f"the agent {name[:_NAME_LIMIT]}", fix=["agent list"])
    return agent


def list_(
    tx: Tx,
    *,
    role: str = "",
    skill: str = "",
    status: AgentStatus | None = None,
    is_available: bool | None = None,
) -> list[Agent]:
    """List agents by name; empty filters and None do not restrict."""
    return [
        agent
        for agent in store.list_all(tx)
        if role in ("", agent.role)
        and (not skill or skill in agent.skills)
        and status in (None, agent.status)
        and is_available in (None, agent.is_available)
    ]


def _checked(skills: Sequence[str]) -> tuple[str, ...]:
    distinct = dict.fromkeys(
        require_line("skill", each, limit=_NAME_LIMIT) for each in skills
    )
    if len(distinct) > _SKILLS_LIMIT:
        raise InvalidArgument(
            f"{len(distinct)} skills are too many",
            fix=[f"name at most {_SKILLS_LIMIT}"],
            field="skills",
        )
    return tuple(distinct)


def _save(tx: Tx, old: Agent, new: Agent) -> Agent:
    """Store an agent; being seen alone changes its row but is no event."""
    before = view(old)
    changed = {
        name: value for name, value in view(new).items() if value != before[name]
    }
    if not changed:
        return old
    store.update(tx, new)
    if changed.keys() == {"last_seen"}:
        tx.bump(COLLECTION)
        return new
    return _tell(tx, new, changed)


def _tell(tx: Tx, agent: Agent, details: dict[str, Json]) -> Agent:
    tx.bump(COLLECTION)
    events.append(tx, "agent_changed", target=agent.name, **details)
    return agent
