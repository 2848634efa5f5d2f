"""A small registry with one of everything the command language has to understand."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import Field

from commands.context import Context
from commands.invocation import Invocation
from commands.parser import parse, parse_call
from commands.registry import Registry, command
from commands.schema import Doc, Person, Ref, Secret
from core.kernel.lanes import Lane
from core.kernel.problems import Problem
from core.kernel.reply import Reply

NOW = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)  # a Wednesday

Result = TypeVar("Result")
TaskRef = Annotated[str, Ref("T")]


class Status(StrEnum):
    """Where a task stands."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    REVIEW = "review"
    DONE = "done"


def _said(**values: Any) -> Reply:
    return Reply(summary=f"{len(values)} arguments")


@command(
    "task create",
    scope="tasks:write",
    danger="write",
    http="POST /collab/tasks",
    status=201,
    examples=['task create "Fix login" --lane B'],
)
def create(
    ctx: Context,
    title: Annotated[str, Doc("What is to be done.")],
    *,
    lane: Lane = Lane.C,
    needs: Sequence[TaskRef] = (),
    dod: Sequence[str] = (),
) -> Reply:
    """Put a new task in the queued column."""
    return _said(title=title, lane=lane, needs=needs, dod=dod)


@command("task list", scope="tasks:read", examples=["task list --status review"])
def list_tasks(
    ctx: Context,
    *,
    status: Status | None = None,
    assignee: Annotated[str, Person()] = "",
    tag: Sequence[str] = (),
    limit: Annotated[int, Field(ge=1, le=100)] = 50,
    stale: bool = False,
) -> Reply:
    """List tasks."""
    return _said(status=status, assignee=assignee, tag=tag, limit=limit, stale=stale)


@command("task show", scope="tasks:read", target="task")
def show(ctx: Context, task: TaskRef) -> Reply:
    """Show one task."""
    return _said(task=task)


@command("task move", scope="tasks:write", danger="write", target="task")
def move(ctx: Context, task: TaskRef, status: Status) -> Reply:
    """Move a task to another column."""
    return _said(task=task, status=status)


@command("task approve", scope="tasks:write", danger="write", target="task")
def approve(ctx: Context, task: TaskRef, *, reason: str = "") -> Reply:
    """Approve a task in review."""
    return _said(task=task, reason=reason)


@command("task note", scope="tasks:write", danger="write", target="task")
def note(ctx: Context, task: TaskRef, text: str) -> Reply:
    """Add a note to a task."""
    return _said(task=task, text=text)


@command("task set", scope="tasks:write", danger="write", target="task")
def set_task(
    ctx: Context,
    task: TaskRef,
    *,
    title: str | None = "unchanged",
    needs: Sequence[TaskRef] = ("T-1",),
    effort: float = 1.0,
    points: int = 0,
    due: datetime | None = None,
    estimate: timedelta | None = None,
    is_blocked: bool = True,
    facts: dict[str, Any] | None = None,
) -> Reply:
    """Change fields of a task."""
    return _said(task=task, title=title)


@command("connection create", scope="connections:write", danger="write")
def connect(ctx: Context, name: str, *, token: Annotated[str, Secret()] = "") -> Reply:
    """Keep a credential."""
    return _said(name=name, token=token)


@command("lease reclaim", scope="leases:write", danger="risky", target="lease")
def reclaim(ctx: Context, lease: Annotated[str, Ref("L")]) -> Reply:
    """Take a lease away from its holder."""
    return _said(lease=lease)


@command("lease list", scope="leases:read")
def list_leases(ctx: Context, *, stale: bool = False) -> Reply:
    """List leases."""
    return _said(stale=stale)


@command("event tail", scope="events:read")
def tail(
    ctx: Context,
    *,
    task: TaskRef = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> Reply:
    """Follow what happens."""
    return _said(task=task, since=since, until=until)


@command("run start", scope="runs:write", danger="risky")
def start(
    ctx: Context, template: str, params: Sequence[str] = (), *, lane: Lane = Lane.C
) -> Reply:
    """Start a run of a template."""
    return _said(template=template, params=params, lane=lane)


@command("run cancel", scope="runs:write", danger="risky", target="run")
def cancel_run(ctx: Context, run: Annotated[str, Ref("R")]) -> Reply:
    """Cancel a run."""
    return _said(run=run)


@command("approval rule set", scope="policies:write", danger="write")
def set_rule(ctx: Context, rule: str, *, of: int = 1) -> Reply:
    """Demand approvals."""
    return _said(rule=rule, of=of)


@command("schedule run-now", scope="schedules:write", danger="write")
def run_now(ctx: Context, schedule: Annotated[str, Ref("S")]) -> Reply:
    """Fire a schedule at once."""
    return _said(schedule=schedule)


@command("cancel", is_open=True)
def cancel(ctx: Context, proposal: str) -> Reply:
    """Withdraw a proposal."""
    return _said(proposal=proposal)


@command("whoami", is_open=True)
def whoami(ctx: Context) -> Reply:
    """Say who you are here."""
    return _said()


@command("help", is_open=True)
def help_(ctx: Context, topic: Sequence[str] = ()) -> Reply:
    """Explain commands."""
    return _said(topic=topic)


REGISTRY = Registry.of(
    [
        create,
        list_tasks,
        show,
        move,
        approve,
        note,
        set_task,
        connect,
        reclaim,
        list_leases,
        tail,
        start,
        cancel_run,
        set_rule,
        run_now,
        cancel,
        whoami,
        help_,
    ]
)


def outcome(attempt: Callable[[], Result]) -> Result | Problem:
    """Return what an attempt gives, or the problem it raises; all else goes through."""
    try:
        return attempt()
    except Problem as problem:
        return problem


def is_clean(problem: Problem) -> bool:
    """Tell whether a refusal can be shown: short, and free of control characters."""
    said = (problem.detail, *problem.fix)
    return all(line.isprintable() and len(line) <= 600 for line in said)


def said(line: str, *, timezone: str = "UTC", me: str = "ann") -> Invocation:
    """Parse a line in the sample registry."""
    return parse(line, REGISTRY, now=NOW, timezone=timezone, me=me)


def called(name: str, /, **args: Any) -> Invocation:
    """Parse a JSON call in the sample registry."""
    return parse_call(name, args, REGISTRY, now=NOW, me="ann")
