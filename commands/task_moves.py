"""Commands that take a task through the board: claim it, move it, set it aside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.task_replies import TaskRef, moved_reply, show_task
from commands.views import TaskClaimedData, TaskMovedData
from core.collab import tasks
from core.collab.tasks import Status
from core.kernel.reply import Reply
from core.leases import model as lease_model
from core.leases.model import DEFAULT_TTL


@command(
    "task move",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/transition",
    result=TaskMovedData,
    examples=["task move T-12 in_progress --if-match 3-9f86d0"],
)
def move(ctx: Context, task: TaskRef, status: Status, *, reason: str = "") -> Reply:
    """Move a task to another column, if the board allows that step."""
    moved = tasks.transition(
        ctx.tx, task, status, reason=reason, if_match=ctx.options.if_match
    )
    return moved_reply(ctx, moved)


@command(
    "task claim",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/claim",
    result=TaskClaimedData,
    examples=["claim T-12 --ttl 30m"],
)
def claim(
    ctx: Context,
    task: TaskRef,
    *,
    ttl: Annotated[timedelta, Doc("How long without a heartbeat.")] = DEFAULT_TTL,
) -> Reply:
    """Take a task out of the queue and hold its lease."""
    claimed = tasks.claim(ctx.tx, task, ttl=ttl, if_match=ctx.options.if_match)
    lease = claimed.lease
    return Reply(
        summary=f"You hold {claimed.task.id} until {lease.expires_at:%H:%M} UTC",
        blocks=(
            blocks.actions(
                ("Start", f"task move {claimed.task.id} in_progress"),
                ("Renew", f"lease renew {lease.lock_id} --fence {lease.fence}"),
                ("Release", f"task release {claimed.task.id}"),
            ),
        ),
        data={
            **show_task(claimed.task),
            "lock_id": lease.lock_id,
            "fence": lease.fence,
            "lease": lease_model.view(lease),
        },
        undo=blocks.undo(ctx, f"task release {claimed.task.id}"),
    )


@command(
    "task release",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/release",
    result=TaskMovedData,
    examples=["task release T-12"],
)
def release(ctx: Context, task: TaskRef, *, reason: str = "") -> Reply:
    """Give a task that you work on back to the queue."""
    return moved_reply(
        ctx, tasks.release(ctx.tx, task, reason=reason, if_match=ctx.options.if_match)
    )


@command(
    "task approve",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/approve",
    result=TaskMovedData,
    examples=['approve T-12 --reason "tests green"'],
)
def approve(ctx: Context, task: TaskRef, *, reason: str = "") -> Reply:
    """Approve a task in review; its implementer cannot."""
    return moved_reply(
        ctx, tasks.approve(ctx.tx, task, reason=reason, if_match=ctx.options.if_match)
    )


@command(
    "task reject",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/reject",
    result=TaskMovedData,
    examples=['task reject T-12 --reason "no tests"'],
)
def reject(ctx: Context, task: TaskRef, *, reason: str = "") -> Reply:
    """Ask for changes to a task in review."""
    return moved_reply(
        ctx, tasks.reject(ctx.tx, task, reason=reason, if_match=ctx.options.if_match)
    )


@command(
    "task block",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/block",
    result=TaskMovedData,
    examples=[
        'task block T-12 --reason "waiting for access"',
        "task block T-12 --needs T-9",
    ],
)
def block(
    ctx: Context, task: TaskRef, *, needs: Sequence[TaskRef] = (), reason: str = ""
) -> Reply:
    """Set a task aside, for a reason or until others are done."""
    return moved_reply(
        ctx,
        tasks.block(
            ctx.tx, task, reason=reason, needs=needs, if_match=ctx.options.if_match
        ),
    )


@command(
    "task unblock",
    scope="tasks:write",
    danger="write",
    if_match="optional",
    target="task",
    http="POST /collab/tasks/{task}/unblock",
    result=TaskMovedData,
    examples=["task unblock T-12"],
)
def unblock(ctx: Context, task: TaskRef, *, reason: str = "") -> Reply:
    """Take a blocked task back to where it came from."""
    return moved_reply(
        ctx, tasks.unblock(ctx.tx, task, reason=reason, if_match=ctx.options.if_match)
    )


COMMANDS: Sequence[Command] = (move, claim, release, approve, reject, block, unblock)
