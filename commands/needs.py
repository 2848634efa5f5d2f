"""What waits for a person: approvals to give, commands to confirm, work to look at."""

from collections.abc import Iterator, Sequence

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from core.approvals import service as proposals
from core.approvals.requests import service as requests
from core.collab import tasks
from core.collab.tasks import Status, Task, TaskFilter
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.reply import Action, Actions, Reply

_MOST_TASKS = 25
_MOST_BUTTONS = 10


class NeedData(TypedDict):
    """One thing that waits; `lines` are the commands that would settle it."""

    kind: str
    id: str
    what: str
    lines: list[str]
    until: str


class NeedPageData(TypedDict):
    """All that waits for one person, the most pressing first."""

    items: list[NeedData]
    next: str | None


@command(
    "needs",
    is_control=True,
    http="GET /v1/needs",
    result=NeedPageData,
    examples=["needs"],
)
def needs(ctx: Context) -> Reply:
    """List what waits for you: approvals, confirmations, tasks to review or to redo."""
    found = [*_proposals(ctx), *_approvals(ctx), *_tasks(ctx)]
    if not found:
        return blocks.empty("Nothing needs you", ("Tasks", "task list"))
    return Reply(
        summary=f"{blocks.count(len(found), 'thing')} {_verb(found)} you",
        blocks=(
            blocks.table(
                ("kind", "id", "what"),
                [(each["kind"], each["id"], each["what"]) for each in found],
            ),
            _buttons(found),
        ),
        data={"items": [_shown(each) for each in found], "next": None},
    )


COMMANDS: Sequence[Command] = (needs,)


def _shown(need: NeedData) -> dict[str, Json]:
    return {
        "kind": need["kind"],
        "id": need["id"],
        "what": need["what"],
        "lines": list[Json](need["lines"]),
        "until": need["until"],
    }


def _verb(found: Sequence[NeedData]) -> str:
    return "needs" if len(found) == 1 else "need"


def _proposals(ctx: Context) -> Iterator[NeedData]:
    for each in proposals.list_open(ctx.tx):
        yield NeedData(
            kind="confirm",
            id=each.id,
            what=each.command,
            lines=[f"confirm {each.id}", f"cancel {each.id}"],
            until=to_iso(each.expires_at),
        )


def _approvals(ctx: Context) -> Iterator[NeedData]:
    if not ctx.principal.may("approvals:write"):
        return
    for each in requests.list_decidable(ctx.tx):
        yield NeedData(
            kind="approve",
            id=each.id,
            what=f"{each.requester}: {each.line}",
            lines=[f"approval approve {each.id}", f"approval reject {each.id}"],
            until=to_iso(each.expires_at),
        )


def _tasks(ctx: Context) -> Iterator[NeedData]:
    """Yield what others want looked at, and what was sent back to its assignee."""
    if not ctx.principal.may("tasks:write"):
        return
    me = ctx.principal.name
    for task in _in(ctx, Status.REVIEW):
        if task.implementer != me and task.assignee in ("", me, task.implementer):
            yield _task(
                "review", task, f"task approve {task.id}", f"task reject {task.id}"
            )
    for task in _in(ctx, Status.CHANGES_REQUESTED, assignee=me):
        yield _task("redo", task, f"task move {task.id} in_progress")


def _in(ctx: Context, status: Status, *, assignee: str = "") -> Sequence[Task]:
    wanted = TaskFilter(statuses=frozenset({status}), assignee=assignee)
    return tasks.list_(ctx.tx, wanted, limit=_MOST_TASKS).items


def _task(kind: str, task: Task, *lines: str) -> NeedData:
    return NeedData(kind=kind, id=task.id, what=task.title, lines=list(lines), until="")


def _buttons(found: Sequence[NeedData]) -> Actions:
    """Offer the first way of settling each of the most pressing ones."""
    return Actions(
        items=tuple(
            Action(label=f"{each['kind'].capitalize()} {each['id']}", command=line)
            for each in found[:_MOST_BUTTONS]
            for line in each["lines"][:1]
        )
    )
