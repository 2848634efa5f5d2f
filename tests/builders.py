"""What tests begin with, built through the services."""

from typing import Unpack

from core.collab import tasks
from core.collab.tasks import Status, Task, TaskFields
from core.database import Database
from core.kernel.principal import Principal, system

ROAD = (
    Status.QUEUED,
    Status.CLAIMED,
    Status.IN_PROGRESS,
    Status.REVIEW,
    Status.APPROVED,
    Status.MERGING,
    Status.DONE,
)
REVIEWER = system(name="reviewer")


def a_task(
    db: Database,
    by: Principal,
    *,
    status: Status = Status.QUEUED,
    **fields: Unpack[TaskFields],
) -> Task:
    """Create a task and move it along the usual road; "reviewer" does the approving."""
    given: TaskFields = {"title": "Fix login", **fields}
    task = db.run(lambda tx: tasks.create(tx, **given), by=by)
    for step in ROAD[1 : ROAD.index(status) + 1]:
        who = REVIEWER if step is Status.APPROVED else by
        task = moved(db, who, task.id, step)
    return task


def moved(
    db: Database, by: Principal, task_id: str, to: Status, reason: str = ""
) -> Task:
    """Move a task and return it."""
    return db.run(
        lambda tx: tasks.transition(tx, task_id, to, reason=reason), by=by
    ).task
