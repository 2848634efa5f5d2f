"""Queries over the task table."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Executable, bindparam, func, select

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
_ID_AT, _VERSION_AT = _NAMES.index("id"), _NAMES.index("version")
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


def render_each(tx: Tx, render: Callable[[Task], bytes]) -> Iterator[bytes]:
    """Render every task in the order of its number; known versions are recalled."""
    for row in tx.run(_ALL):
        key = ("rendered task", row[_ID_AT], row[_VERSION_AT])
        body = tx.recall(key)
        if not isinstance(body, bytes):
            body = render(_to_task(row))
            tx.remember(key, body)
        yield body


def list_before(
    tx: Tx, number: int | None, wanted: TaskFilter, *, limit: int
) -> Sequence[Task]:
    """List tasks numbered below `number` (None: all), the newest first."""
    values = _wanted_values(number, wanted)
    rows = tx.run(_listing(frozenset(values)), limit=limit, **values)
    return _in_versions(tx, rows)


def count_by_status(tx: Tx) -> dict[Status, int]:
    """Count the tasks in each status that has any."""
    query = (
        select(tasks.c.status, func.count())
        .where(tasks.c.tenant_id == tx.tenant)
        .group_by(tasks.c.status)
    )
    return {Status(status): count for status, count in _rows(tx, query)}


def count_queued_by_lane(tx: Tx) -> dict[Lane, int]:
    """Count the queued tasks in each lane that has any."""
    query = (
        select(tasks.c.lane, func.count())
        .where(tasks.c.tenant_id == tx.tenant, tasks.c.status == Status.QUEUED.value)
        .group_by(tasks.c.lane)
    )
    return {Lane(lane): count for lane, count in _rows(tx, query)}


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


_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "below": tasks.c.number < bindparam("below"),
    "status": tasks.c.status == bindparam("status"),
    "statuses": bindparam("statuses").like("%," + tasks.c.status + ",%"),
    "assignee": tasks.c.assignee == bindparam("assignee"),
    "lane": tasks.c.lane == bindparam("lane"),
    "label": tasks.c.labels.like(bindparam("label"), escape="/"),
    "since": tasks.c.updated_at >= bindparam("since"),
    "until": tasks.c.updated_at < bindparam("until"),
}


@cache
def _listing(conditions: frozenset[str]) -> Prepared:
    """Prepare the list under these conditions, once for each set of them."""
    chosen = [_CONDITIONS[name] for name in sorted(conditions)]
    return Prepared(
        select(tasks.c.id, tasks.c.version)
        .where(_MINE, *chosen)
        .order_by(tasks.c.number.desc())
        .limit(bindparam("limit"))
    )


def _wanted_values(number: int | None, wanted: TaskFilter) -> dict[str, object]:
    """Name the conditions that a filter sets, with their values."""
    values: dict[str, object | None] = {
        "below": number,
        "assignee": wanted.assignee or None,
        "lane": wanted.lane.value if wanted.lane else None,
        "label": _label_pattern(wanted.label) if wanted.label else None,
        "since": to_micros(wanted.since) if wanted.since else None,
        "until": to_micros(wanted.until) if wanted.until else None,
    }
    statuses = sorted(status.value for status in wanted.statuses)
    if len(statuses) == 1:
        values["status"] = statuses[0]
    elif statuses:
        values["statuses"] = f",{','.join(statuses)},"
    return {name: value for name, value in values.items() if value is not None}


def _label_pattern(label: str) -> str:
    """Labels are lower case and stored as JSON, so a quoted one is found as it is."""
    quoted = canonical_json(label.lower()).decode()
    return f"%{re.sub('[/%_]', lambda found: '/' + found[0], quoted)}%"


def _in_versions(tx: Tx, versions: Sequence[Row]) -> list[Task]:
    """Get tasks by (id, version): recalled, or read in one query."""
    keys = [("task", task_id, version) for task_id, version in versions]
    found = {key: tx.recall(key) for key in keys}
    missing = [key[1] for key, task in found.items() if task is None]
    if missing:
        query = select(*_COLUMNS).where(
            tasks.c.tenant_id == tx.tenant, tasks.c.id.in_(missing)
        )
        for task in map(_to_task, _rows(tx, query)):
            key = ("task", task.id, task.version)
            tx.remember(key, task)
            found[key] = task
    return [task for task in found.values() if isinstance(task, Task)]


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
