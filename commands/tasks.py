"""Commands over tasks: thin, each calls one verb of the board and shapes its reply."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.render import quote
from commands.schema import Doc, Person
from commands.task_replies import TaskRef, checklist, next_steps, show_task
from commands.views import (
    TaskChangedData,
    TaskData,
    TaskDetailData,
    TaskPageData,
)
from core.collab import tasks
from core.collab.tasks import Status, Task, TaskFilter
from core.database import Tx
from core.events import service as events
from core.events.model import EventFilter
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Block, Code, Reply, Text
from core.leases import model as lease_model
from core.leases import service as leases
from core.leases.model import Lease

_EVENTS_SHOWN = 3


@command(
    "task create",
    scope="tasks:write",
    danger="write",
    http="POST /collab/tasks",
    status=201,
    result=TaskData,
    examples=[
        'task create "Fix login redirect" --lane B --needs T-9 --dod "tests,docs"'
    ],
)
def create(
    ctx: Context,
    title: Annotated[str, Doc("What is to be done, in one line.")],
    *,
    body: Annotated[str, Doc("Everything else there is to say.")] = "",
    lane: Annotated[Lane, Doc("The queue it stands in, A first.")] = Lane.C,
    priority: Annotated[int, Doc("-100 to 100, the higher the sooner.")] = 0,
    assignee: Annotated[str, Person()] = "",
    labels: Sequence[str] = (),
    needs: Annotated[Sequence[TaskRef], Doc("Tasks that must be done first.")] = (),
    dod: Annotated[Sequence[str], Doc("The definition of done, line by line.")] = (),
    id: Annotated[str, Doc("An id of the client's own choice, T-<n>.")] = "",
    external_key: Annotated[str, Doc("Its key in another system.")] = "",
) -> Reply:
    """Put a new task in the queued column."""
    task = tasks.create(
        ctx.tx,
        task_id=id,
        external_key=external_key,
        title=title,
        body=body,
        lane=lane,
        priority=priority,
        assignee=assignee,
        labels=labels,
        needs=needs,
        dod=dod,
    )
    data = show_task(task)
    return Reply(
        summary=f"Created {task.id} in {task.status}",
        blocks=(
            blocks.fields(
                ("title", task.title),
                ("lane", task.lane),
                ("needs", ", ".join(task.needs)),
            ),
            blocks.actions(
                ("Claim", f"task claim {task.id}"), ("Open", f"task show {task.id}")
            ),
        ),
        data=data,
        undo=blocks.undo(
            ctx,
            f"task move {task.id} abandoned --reason undone --if-match {data['etag']}",
        ),
    )


@command(
    "task list",
    scope="tasks:read",
    http="GET /collab/tasks",
    result=TaskPageData,
    examples=["task list --status review --assignee me"],
)
def list_(
    ctx: Context,
    *,
    status: Annotated[Status | None, Doc("Only tasks that stand here.")] = None,
    assignee: Annotated[str, Person()] = "",
    lane: Lane | None = None,
    label: str = "",
    since: Annotated[datetime | None, Doc("Changed at or after this moment.")] = None,
    until: Annotated[datetime | None, Doc("Changed at or before this moment.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List tasks, the newest first."""
    wanted = TaskFilter(
        statuses=frozenset({status} if status else ()),
        assignee=assignee,
        lane=lane,
        label=label,
        since=since,
        until=until,
    )
    page = tasks.list_(ctx.tx, wanted, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No tasks", ("Create the first", 'task create "…"'))
    where = f" in {status}" if status else ""
    more = " and more" if page.next else ""
    return Reply(
        summary=f"{blocks.count(len(page.items), 'task')}{more}{where}",
        blocks=(
            blocks.table(
                ("id", "title", "status", "lane", "assignee", "age"),
                [
                    (
                        each.id,
                        each.title,
                        each.status,
                        each.lane,
                        each.assignee,
                        blocks.age(each.created_at, ctx.tx.now),
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [show_task(each) for each in page.items], "next": page.next},
    )


@command(
    "task show",
    scope="tasks:read",
    http="GET /collab/tasks/{task}",
    result=TaskDetailData,
    target="task",
    examples=["task show T-12", "T-12"],
)
def show(ctx: Context, task: TaskRef) -> Reply:
    """Show one task: its fields, checklist, needs, lease and last events."""
    found = tasks.get_(ctx.tx, task)
    lease = leases.find_on(ctx.tx, found.id)
    return Reply(
        summary=f"{found.id} {found.title}"[:150],
        blocks=(
            blocks.fields(
                ("status", found.status),
                ("reason", found.reason),
                ("lane", found.lane),
                ("assignee", found.assignee),
                ("priority", found.priority or ""),
                ("labels", ", ".join(found.labels)),
                ("needs", ", ".join(found.needs)),
                ("lease", _lease_line(lease, ctx.tx.now)),
                (
                    "created",
                    f"by {found.created_by}, {blocks.age(found.created_at, ctx.tx.now)} ago",
                ),
            ),
            *_prose(found),
            *_history(ctx.tx, found.id),
            next_steps(found),
        ),
        data={**show_task(found), "lease": lease_model.view(lease) if lease else None},
    )


@command(
    "task set",
    scope="tasks:write",
    danger="write",
    http="PATCH /collab/tasks/{task}",
    if_match="required",
    target="task",
    result=TaskChangedData,
    examples=["task set T-12 --needs T-9", 'task set T-12 --title "Fix the login"'],
)
def set_(
    ctx: Context,
    task: TaskRef,
    *,
    title: str = "",
    body: str = "",
    lane: Lane = Lane.C,
    priority: int = 0,
    assignee: Annotated[str, Person()] = "",
    labels: Sequence[str] = (),
    needs: Sequence[TaskRef] = (),
    dod: Sequence[str] = (),
) -> Reply:
    """Change the fields that are given; the others stay as they are."""
    values: dict[str, Any] = {
        "title": title,
        "body": body,
        "lane": lane,
        "priority": priority,
        "assignee": assignee,
        "labels": labels,
        "needs": needs,
        "dod": dod,
    }
    given = {name: value for name, value in values.items() if name in ctx.given}
    if not given:
        raise InvalidArgument("nothing to change", fix=[f'task set {task} --title "…"'])
    changed = tasks.change(ctx.tx, task, if_match=ctx.options.if_match, **given)
    return Reply(
        summary=_changed_summary(changed, given),
        blocks=(blocks.actions(("Open", f"task show {changed.id}")),),
        data={"ok": True, **show_task(changed)},
    )


@command(
    "task note",
    scope="tasks:write",
    danger="write",
    target="task",
    http="POST /collab/tasks/{task}/notes",
    result=TaskChangedData,
    examples=['task note T-12 "the log is at https://x.example/a?b=c"'],
)
def note(ctx: Context, task: TaskRef, text: str) -> Reply:
    """Add a remark that nobody can take back."""
    noted = tasks.add_note(ctx.tx, task, text)
    return Reply(
        summary=f"Noted on {noted.id}",
        blocks=(blocks.actions(("Open", f"task show {noted.id}")),),
        data={"ok": True, **show_task(noted)},
    )


@command(
    "task tick",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/tick",
    result=TaskChangedData,
    examples=[
        "task tick T-12 tests",
        "task tick T-12 2",
        "task tick T-12 tests --undone",
    ],
)
def tick(
    ctx: Context,
    task: TaskRef,
    which: Annotated[str, Doc("Its text, or its number.")],
    *,
    undone: Annotated[bool, Doc("Take the tick away again.")] = False,
) -> Reply:
    """Tick a line of the definition of done."""
    line: int | str = int(which) if which.isdecimal() and len(which) < 4 else which
    ticked = tasks.tick_dod(
        ctx.tx, task, line, is_done=not undone, if_match=ctx.options.if_match
    )
    left = len(ticked.open_dod)
    return Reply(
        summary=f"{ticked.id}: {len(ticked.dod) - left} of {len(ticked.dod)} done",
        blocks=(Text(md=checklist(ticked)),),
        data={"ok": True, **show_task(ticked)},
        undo=blocks.undo(
            ctx, f"task tick {ticked.id} {quote(which)}{'' if undone else ' --undone'}"
        ),
    )


COMMANDS: Sequence[Command] = (create, list_, show, set_, note, tick)


def _changed_summary(task: Task, given: dict[str, Any]) -> str:
    if set(given) == {"needs"}:
        waits = ", ".join(task.needs) or "nothing"
        return f"{task.id} now waits for {waits}"[:150]
    return f"{task.id} changed: {', '.join(given)}"


def _prose(task: Task) -> Sequence[Block]:
    parts = [task.body, checklist(task)]
    parts += [
        f"{note.by}, {note.at:%Y-%m-%d %H:%M}: {note.text}" for note in task.notes[-5:]
    ]
    return [Text(md="\n\n".join(part for part in parts if part))] if any(parts) else []


def _history(tx: Tx, task_id: str) -> Sequence[Block]:
    last = events.list_last(
        tx, EventFilter(targets=frozenset({task_id})), limit=_EVENTS_SHOWN
    )
    lines = [f"{each.ts:%m-%d %H:%M:%S} {each.type} {each.actor}" for each in last]
    return [Code(text="\n".join(lines))] if lines else []


def _lease_line(lease: Lease | None, now: datetime) -> str:
    if lease is None:
        return ""
    left = int((lease.expires_at - now).total_seconds())
    return f"{lease.lock_id} of {lease.holder}, " + (
        f"{left} s left" if left >= 0 else "stale"
    )
