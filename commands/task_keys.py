"""Commands for programs: tasks that follow something that has a key elsewhere."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.task_replies import next_steps, show_task
from commands.views import TaskEnsuredData, TaskWithdrawnData
from core.collab import tasks
from core.collab.tasks import TERMINAL, Happened, Status
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.reply import Reply

_KEY = Doc("What another system calls it, such as an alert's fingerprint.")
_UNLESS_DONE = frozenset({Status.ABANDONED})
_SAID = {
    Happened.CREATED: "Created {id} in queued",
    Happened.REOPENED: "{id} is queued again",
    Happened.THERE: "{id} is there already, {status}",
    Happened.OVER: "{id} is {status} and stays so",
}


@command(
    "task ensure",
    scope="tasks:write",
    danger="write",
    http="POST /collab/tasks/ensure",
    result=TaskEnsuredData,
    examples=['task ensure "The disk of db-1 is full" --external-key disk:db-1'],
)
def ensure(
    ctx: Context,
    title: Annotated[str, Doc("What is to be done; its first line counts.")],
    *,
    external_key: Annotated[str, _KEY],
    body: Annotated[str, Doc("Everything else there is to say.")] = "",
    lane: Annotated[Lane, Doc("The queue it stands in, A first.")] = Lane.C,
    labels: Sequence[str] = (),
    again: Annotated[bool, Doc("Queue it again also when it is done or failed.")] = (
        False
    ),
) -> Reply:
    """Have one task for a key: make it, or queue it again if it was abandoned."""
    task, happened = tasks.ensure(
        ctx.tx,
        external_key,
        title=title,
        body=body,
        lane=lane,
        labels=labels,
        reopens=TERMINAL if again else _UNLESS_DONE,
    )
    return Reply(
        summary=_SAID[happened].format(id=task.id, status=task.status),
        blocks=(blocks.fields(("title", task.title)), next_steps(task)),
        data={**show_task(task), "happened": happened.value},
    )


@command(
    "task withdraw",
    scope="tasks:write",
    danger="write",
    http="POST /collab/tasks/withdraw",
    result=TaskWithdrawnData,
    examples=["task withdraw disk:db-1 --reason resolved"],
)
def withdraw(
    ctx: Context, external_key: Annotated[str, _KEY], *, reason: str = ""
) -> Reply:
    """Abandon the task with a key; that none is open is no error."""
    moved = tasks.withdraw(ctx.tx, external_key, reason=reason)
    if moved is None:
        return Reply(
            summary="No task has this key; nothing was to be done",
            data=_withdrawn(external_key, task_id="", status="", is_changed=False),
        )
    task, is_changed = moved.task, tasks.is_moved(moved)
    said = (
        f"{moved.old_status} -> {task.status}"
        if is_changed
        else (f"is {task.status} already")
    )
    return Reply(
        summary=f"{task.id} {said}",
        blocks=(blocks.actions(("Open", f"task show {task.id}")),),
        data=_withdrawn(
            external_key, task_id=task.id, status=task.status, is_changed=is_changed
        ),
    )


COMMANDS: Sequence[Command] = (ensure, withdraw)


def _withdrawn(
    external_key: str, *, task_id: str, status: str, is_changed: bool
) -> dict[str, Json]:
    return {
        "id": task_id,
        "external_key": external_key,
        "status": str(status),
        "changed": is_changed,
    }
