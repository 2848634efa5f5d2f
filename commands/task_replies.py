"""How the commands over tasks show a task and what may be done with it next."""

from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.schema import Ref
from core.collab import tasks
from core.collab.tasks import Task
from core.kernel.jsons import Json
from core.kernel.reply import Block, Reply

TaskRef = Annotated[str, Ref("T")]


def show_task(task: Task) -> dict[str, Json]:
    """Show a task as the `data` of a reply, with its ETag; not to be changed."""
    return task.tagged


def moved_reply(ctx: Context, moved: tasks.Move) -> Reply:
    """Tell where a task went, with the way back if the board has one."""
    task = moved.task
    back = f"task move {task.id} {moved.old_status} --if-match {task.etag}"
    can_go_back = moved.old_status in tasks.moves_from(task)
    return Reply(
        summary=f"{task.id} {moved.old_status} -> {task.status}",
        blocks=(next_steps(task),),
        data={
            **show_task(task),
            "old_status": moved.old_status.value,
            "new_status": task.status.value,
        },
        undo=blocks.undo(ctx, back) if can_go_back else None,
    )


def next_steps(task: Task) -> Block:
    """Offer the usual next moves of a task."""
    steps = [
        (str(to).replace("_", " ").capitalize(), f"task move {task.id} {to}")
        for to in tasks.moves_from(task)[:2]
    ]
    return blocks.actions(*steps, ("Open", f"task show {task.id}"))


def checklist(task: Task) -> str:
    """Write the definition of done as a Markdown list."""
    return "\n".join(
        f"- [{'x' if each.is_done else ' '}] {each.text}" for each in task.dod
    )
