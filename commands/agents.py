"""Commands over agents: who is there, what they can do, whether they take work."""

from collections.abc import Sequence

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.views import AgentData, AgentPageData
from core.collab.agents import service as agents
from core.collab.agents.model import Agent, AgentStatus, view
from core.kernel.reply import Reply


@command(
    "agent register",
    scope="agents:write",
    danger="write",
    http="POST /collab/agents",
    result=AgentData,
    examples=["agent register ann --role reviewer --skills python,docs"],
)
def register(
    ctx: Context,
    name: str,
    *,
    role: str = "",
    skills: Sequence[str] = (),
    status: AgentStatus = AgentStatus.AVAILABLE,
) -> Reply:
    """Make an agent known, or renew what is known of it."""
    return _one(agents.register(ctx.tx, name, role=role, skills=skills, status=status))


@command(
    "agent list",
    scope="agents:read",
    http="GET /collab/agents",
    result=AgentPageData,
    examples=["agent list --skill python"],
)
def list_(
    ctx: Context,
    *,
    role: str = "",
    skill: str = "",
    status: AgentStatus | None = None,
    available: bool = False,
) -> Reply:
    """List agents by name."""
    found = agents.list_(
        ctx.tx,
        role=role,
        skill=skill,
        status=status,
        is_available=True if available else None,
    )
    if not found:
        return blocks.empty("No agents", ("Register one", "agent register …"))
    return Reply(
        summary=blocks.count(len(found), "agent"),
        blocks=(
            blocks.table(
                ("name", "role", "status", "takes work", "seen"),
                [
                    (
                        each.name,
                        each.role,
                        each.status,
                        "yes" if each.is_available else "no",
                        f"{blocks.age(each.last_seen, ctx.tx.now)} ago",
                    )
                    for each in found
                ],
            ),
        ),
        data={"items": [view(each) for each in found], "next": None},
    )


@command(
    "agent show",
    scope="agents:read",
    http="GET /collab/agents/{agent}",
    target="agent",
    result=AgentData,
    examples=["agent show ann"],
)
def show(ctx: Context, agent: str) -> Reply:
    """Show one agent."""
    return _one(agents.get_(ctx.tx, agent))


@command(
    "agent enable",
    scope="agents:write",
    danger="write",
    target="agent",
    result=AgentData,
    http="POST /collab/agents/{agent}/enable",
    examples=["agent enable ann"],
)
def enable(ctx: Context, agent: str) -> Reply:
    """Give an agent new work again."""
    return _one(agents.set_available(ctx.tx, agent, is_available=True))


@command(
    "agent disable",
    scope="agents:write",
    danger="write",
    target="agent",
    result=AgentData,
    http="POST /collab/agents/{agent}/disable",
    examples=["agent disable ann"],
)
def disable(ctx: Context, agent: str) -> Reply:
    """Give an agent no new work."""
    return _one(agents.set_available(ctx.tx, agent, is_available=False))


@command(
    "agent set",
    scope="agents:write",
    danger="write",
    target="agent",
    result=AgentData,
    http="POST /collab/agents/{agent}/status",
    examples=["agent set ann busy"],
)
def set_(ctx: Context, agent: str, status: AgentStatus) -> Reply:
    """Note what an agent says of itself; also a sign of life."""
    return _one(agents.set_status(ctx.tx, agent, status))


COMMANDS: Sequence[Command] = (register, list_, show, enable, disable, set_)


def _one(agent: Agent) -> Reply:
    switch = "disable" if agent.is_available else "enable"
    return Reply(
        summary=f"{agent.name} is {agent.status}"[:150],
        blocks=(
            blocks.fields(
                ("role", agent.role),
                ("skills", ", ".join(agent.skills)),
                ("takes work", "yes" if agent.is_available else "no"),
            ),
            blocks.actions((switch.capitalize(), f"agent {switch} {agent.name}")),
        ),
        data=view(agent),
    )
