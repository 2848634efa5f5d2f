"""How a task changes: its row, the versions and the event that tells of it, together.

Every change of a row is told by exactly one event whose details hold the new values,
so that the events alone can rebuild the board.
"""

from dataclasses import replace

from core.collab.tasks import store
from core.collab.tasks.model import Task, difference
from core.database import Tx
from core.events import service as events
from core.kernel.etag import is_match, parse_tags, version_of
from core.kernel.jsons import Json
from core.kernel.problems import StaleVersion

COLLECTION = "tasks"


def save(tx: Tx, old: Task, new: Task, event: str, **details: Json) -> Task:
    """Store what differs between two states of a task; nothing if nothing does.

    Shape:  returns the task as stored, one version further. The event carries the new
            values beside `details`; notes are only ever appended, so a note's event
            has its text and not the whole list.
    """
    changed = difference(old, new)
    if not changed:
        return old
    version = old.version + 1
    saved = replace(
        new,
        version=version,
        updated_at=tx.now,
        updated_by=tx.principal.name,
        field_versions={**old.field_versions, **dict.fromkeys(changed, version)},
    )
    store.update(tx, saved)
    tx.bump(COLLECTION)
    changed.pop("notes", None)
    events.append(tx, event, target=saved.id, **{**details, **changed})
    return saved


def require_match(tx: Tx, task: Task, if_match: str) -> None:
    """Let a change pass when its If-Match names the present state; "" always does.

    Shape:  the task's own tag is compared strongly. A tag of the collection is
            compared by its version; an old tag of the task never passes for one,
            because no task's version runs ahead of the collection's.
    Raises: StaleVersion with the current tag, who changed it, and which fields.
    """
    if not if_match or is_match(if_match, task.etag):
        return
    tags = [tag for is_weak, tag in parse_tags(if_match) if "-" in tag and not is_weak]
    seen = [version for tag in tags if (version := version_of(tag)) is not None]
    if tx.version(COLLECTION) in seen:
        return
    raise StaleVersion(
        task.id,
        etag=task.etag,
        changed_by=task.updated_by,
        changed_fields=_changed_since(task, max(seen, default=0)),
    )


def _changed_since(task: Task, version: int) -> list[str]:
    return sorted(name for name, last in task.field_versions.items() if last > version)
