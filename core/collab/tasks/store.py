"""Queries over the task table."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Executable, Select, bindparam, func, select

from core.collab.tasks.model import DodItem, Note, Status, Task, TaskFilter
from core.collab.tasks.tables import tasks
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import TaskId, number_of
from core.kernel.jsons import canonical_json
from core.kernel.lanes import Lane

_NAMES = (
    "id",
    "external_key",
    "title",
    "body",
    "status",
    "reason",
    "blocked_from",
    "assignee",
    "implementer",
    "priority",
    "lane",
    "labels",
    "needs",
    "dod",
    "notes",
    "created_at",
    "created_by",
    "updated_at",
    "updated_by",
    "version",
    "field_versions",
)
_FIXED = frozenset({"id", "external_key", "created_at", "created_by"})
_COLUMNS = tuple(tasks.c[name] for name in _NAMES)
_MINE = tasks.c.tenant_id == bindparam("tenant")

_BY_ID = Prepared(select(*_COLUMNS).where(_MINE, tasks.c.id == bindparam("task_id")))
_BY_KEY = Prepared(
    select(*_COLUMNS).where(_MINE, tasks.c.external_key == bindparam("key"))
)
_ALL = Prepared(select(*_COLUMNS).where(_MINE).order_by(tasks.c.number))
_UPDATE = Prepared(
    tasks.update()
    .where(_MINE, tasks.c.id == bindparam("task_id"))
    .values({name: bindparam(name) for name in _NAMES if name not in _FIXED})
)


def find(tx: Tx, task_id: str) -> Task | None:
    """Find a task by its id; a text of another form is the id of none."""
    if number_of(task_id, "T") is None:
        return None
    rows = tx.run(_BY_ID, task_id=task_id)
    return _to_task(rows[0]) if rows else None


def find_by_key(tx: Tx, external_key: str) -> Task | None:
    """Find a task by the key that its origin gave it."""
    rows = tx.run(_BY_KEY, key=external_key)
    return _to_task(rows[0]) if rows else None


def each(tx: Tx) -> Iterator[Task]:
    """Give every task, one after the other, in the order of its number."""
    return map(_to_task, tx.run(_ALL))


def list_before(
    tx: Tx, number: int | None, wanted: TaskFilter, *, limit: int
) -> Sequence[Task]:
    """List tasks numbered below `number` (None: all), the newest first."""
    query = select(*_COLUMNS).where(tasks.c.tenant_id == tx.tenant)
    if number is not None:
        query = query.where(tasks.c.number < number)
    query = _narrowed(query, wanted).order_by(tasks.c.number.desc()).limit(limit)
    return [_to_task(row) for row in _rows(tx, query)]


def count_by_status(tx: Tx) -> dict[Status, int]:
    """Count the tasks in each status that has any."""
    query = (
        select(tasks.c.status, func.count())
        .where(tasks.c.tenant_id == tx.tenant)
        .group_by(tasks.c.status)
    )
    return {Status(status): count for status, count in _rows(tx, query)}


def statuses_of(tx: Tx, task_ids: Iterable[str]) -> dict[str, Status]:
    """Read where these tasks stand; unknown ones are left out."""
    query = select(tasks.c.id, tasks.c.status).where(
        tasks.c.tenant_id == tx.tenant, tasks.c.id.in_(list(task_ids))
    )
    return {task_id: Status(status) for task_id, status in _rows(tx, query)}


def needs_of(tx: Tx, task_ids: Iterable[str]) -> dict[str, list[str]]:
    """Read what these tasks wait for."""
    query = select(tasks.c.id, tasks.c.needs).where(
        tasks.c.tenant_id == tx.tenant, tasks.c.id.in_(list(task_ids))
    )
    return {task_id: orjson.loads(needs) for task_id, needs in _rows(tx, query)}


def insert(tx: Tx, task: Task) -> None:
    """Store a new task."""
    tx.insert(
        tasks,
        {
            "id": task.id,
            "number": number_of(task.id, "T"),
            "external_key": task.external_key or None,
            "created_by": task.created_by,
            **_changing(task),
        },
    )


def update(tx: Tx, task: Task) -> None:
    """Store a task's present state over its former one."""
    tx.change(_UPDATE, task_id=task.id, **_changing(task))


def _rows(tx: Tx, query: Executable) -> list[Row]:
    return [tuple(row) for row in tx.execute(query)]


def _changing(task: Task) -> dict[str, object]:
    return {
        "title": task.title,
        "body": task.body,
        "status": task.status.value,
        "reason": task.reason,
        "blocked_from": task.blocked_from.value if task.blocked_from else "",
        "assignee": task.assignee,
        "implementer": task.implementer,
        "priority": task.priority,
        "lane": task.lane.value,
        "labels": _text(task.labels),
        "needs": _text(task.needs),
        "dod": _text([[each.text, each.is_done] for each in task.dod]),
        "notes": _text(
            [[to_micros(each.at), each.by, each.text] for each in task.notes]
        ),
        "field_versions": _text(sorted(task.field_versions.items())),
        "updated_at": to_micros(task.updated_at),
        "updated_by": task.updated_by,
        "version": task.version,
    }


def _text(value: object) -> str:
    return canonical_json(value).decode() if value else "[]"


def _narrowed(query: Select[Row], wanted: TaskFilter) -> Select[Row]:
    if wanted.statuses:
        query = query.where(tasks.c.status.in_(sorted(wanted.statuses)))
    if wanted.assignee:
        query = query.where(tasks.c.assignee == wanted.assignee)
    if wanted.lane:
        query = query.where(tasks.c.lane == wanted.lane.value)
    if wanted.label:
        # Labels are lower case and stored as JSON, so a quoted one is found as it is.
        quoted = canonical_json(wanted.label.lower()).decode()
        query = query.where(tasks.c.labels.contains(quoted, autoescape=True))
    if wanted.since:
        query = query.where(tasks.c.updated_at >= to_micros(wanted.since))
    if wanted.until:
        query = query.where(tasks.c.updated_at < to_micros(wanted.until))
    return query


def _to_task(row: Row) -> Task:
    (
        task_id,
        external_key,
        title,
        body,
        status,
        reason,
        blocked_from,
        assignee,
        implementer,
        priority,
        lane,
        labels,
        needs,
        dod,
        notes,
        created_at,
        created_by,
        updated_at,
        updated_by,
        version,
        field_versions,
    ) = row
    return Task(
        id=TaskId(task_id),
        external_key=external_key or "",
        title=title,
        body=body,
        status=Status(status),
        reason=reason,
        blocked_from=Status(blocked_from) if blocked_from else None,
        assignee=assignee,
        implementer=implementer,
        priority=priority,
        lane=Lane(lane),
        labels=_list(labels),
        needs=_list(needs),
        dod=tuple(DodItem(text=text, is_done=done) for text, done in _list(dod)),
        notes=tuple(
            Note(at=from_micros(at), by=by, text=text) for at, by, text in _list(notes)
        ),
        created_at=from_micros(created_at),
        created_by=created_by,
        updated_at=from_micros(updated_at),
        updated_by=updated_by,
        version=version,
        field_versions=dict(_list(field_versions)),
    )


def _list(text: str) -> tuple[Any, ...]:
    return () if text == "[]" else tuple(orjson.loads(text))
