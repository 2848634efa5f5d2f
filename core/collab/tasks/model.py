"""A task, and how it is shown; pure."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from core.kernel.clock import to_iso
from core.kernel.etag import digest, entity_tag
from core.kernel.ids import TaskId
from core.kernel.jsons import Json, canonical_json
from core.kernel.lanes import Lane


class Status(StrEnum):
    """Where a task stands; moves.py says what may follow what."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    REVIEW = "review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    MERGING = "merging"
    BLOCKED = "blocked"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


TERMINAL = frozenset({Status.DONE, Status.FAILED, Status.ABANDONED})
WORKING = frozenset({Status.CLAIMED, Status.IN_PROGRESS})


@dataclass(frozen=True, slots=True, kw_only=True)
class DodItem:
    """One line of the definition of done."""

    text: str
    is_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark that nobody can take back."""

    at: datetime
    by: str
    text: str


# Without slots, so that what a task looks like is worked out once: its event, its
# ETag and its reply all show it.
@dataclass(frozen=True, kw_only=True)
class Task:
    """One work item on the board.

    Shape:  `external_key` is "" or unique in the tenant. `reason` tells why it stands
            where it stands. `implementer` moved it into in_progress and may not
            approve it. `blocked_from` is where a blocked task goes back to.
            `field_versions` names the version that last changed a field.
    Units:  a higher `priority` comes first.
    """

    id: TaskId
    title: str
    external_key: str = ""
    body: str = ""
    status: Status = Status.QUEUED
    reason: str = ""
    blocked_from: Status | None = None
    assignee: str = ""
    implementer: str = ""
    priority: int = 0
    lane: Lane = Lane.C
    labels: tuple[str, ...] = ()
    needs: tuple[TaskId, ...] = ()
    dod: tuple[DodItem, ...] = ()
    notes: tuple[Note, ...] = ()
    created_at: datetime
    created_by: str
    updated_at: datetime
    updated_by: str
    version: int = 1
    field_versions: Mapping[str, int] = field(default_factory=dict, compare=False)

    @cached_property
    def shown(self) -> Mapping[str, Json]:
        """The task as JSON, all of it but its own etag; times in ISO 8601."""
        return _show(self)

    @cached_property
    def etag(self) -> str:
        """The strong entity tag: version and digest of the canonical view."""
        return entity_tag(self.version, digest(canonical_json(self.shown)))

    @cached_property
    def tagged(self) -> dict[str, Json]:
        """The task as JSON together with its etag; not to be changed."""
        return {**self.shown, "etag": self.etag}

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen to it."""
        return self.status not in TERMINAL

    @property
    def open_dod(self) -> tuple[str, ...]:
        """The texts of the definition of done that are not ticked yet."""
        return tuple(each.text for each in self.dod if not each.is_done)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks to list; empty values do not restrict.

    Units:  `since` and `until` enclose the moment of the last change.
    """

    statuses: frozenset[Status] = frozenset()
    assignee: str = ""
    lane: Lane | None = None
    label: str = ""
    since: datetime | None = None
    until: datetime | None = None


def blank(task_id: TaskId, *, at: datetime, by: str) -> Task:
    """Make the task that somebody creates at a moment, before any field is filled."""
    return Task(
        id=task_id, title="", created_at=at, created_by=by, updated_at=at, updated_by=by
    )


def view(task: Task) -> dict[str, Json]:
    """Show a task as JSON, all of it but its own etag; times in ISO 8601."""
    return dict(task.shown)


def _show(task: Task) -> dict[str, Json]:
    created_at = to_iso(task.created_at)
    is_new = task.updated_at == task.created_at
    return {
        "id": task.id,
        "external_key": task.external_key,
        "title": task.title,
        "body": task.body,
        "status": task.status.value,
        "reason": task.reason,
        "blocked_from": task.blocked_from.value if task.blocked_from else "",
        "assignee": task.assignee,
        "implementer": task.implementer,
        "priority": task.priority,
        "lane": task.lane.value,
        "labels": list(task.labels),
        "needs": list(task.needs),
        "dod": [{"text": each.text, "is_done": each.is_done} for each in task.dod],
        "notes": [_note(each) for each in task.notes],
        "created_at": created_at,
        "created_by": task.created_by,
        "updated_at": created_at if is_new else to_iso(task.updated_at),
        "updated_by": task.updated_by,
        "version": task.version,
    }


def filled(task: Task) -> dict[str, Json]:
    """Show the fields of a new task that somebody filled; the others are as in `blank`."""
    names = [name for name, empty in _EMPTY if getattr(task, name) != empty]
    return {name: task.shown[name] for name in names}


def difference(old: Task, new: Task) -> dict[str, Json]:
    """Show the fields of `new` that differ from `old`."""
    changed = [name for name in _SHOWN if getattr(old, name) != getattr(new, name)]
    if not changed:
        return {}
    return {name: new.shown[name] for name in changed}


def _note(note: Note) -> dict[str, Json]:
    return {"at": to_iso(note.at), "by": note.by, "text": note.text}


_SHOWN = tuple(each.name for each in fields(Task) if each.compare)
_EMPTY = (
    ("title", ""),
    *(
        (each.name, each.default)
        for each in fields(Task)
        if each.compare and each.default is not MISSING
    ),
)
