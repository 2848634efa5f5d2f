"""Create, read and edit tasks; workflow.py moves them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack, cast

from core.collab.tasks import store
from core.collab.tasks.fields import (
    NAME_LIMIT,
    NOTE_LIMIT,
    TaskFields,
    checked,
    chosen_number,
)
from core.collab.tasks.journal import COLLECTION, require_match, save
from core.collab.tasks.model import (
    DodItem,
    Note,
    Status,
    Task,
    TaskFilter,
    filled,
)
from core.database import Tx
from core.events import service as events
from core.kernel.ids import TaskId, number_of
from core.kernel.lanes import Lane
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import AlreadyExists, Conflict, InvalidArgument, NotFound
from core.kernel.texts import require_line, require_text

_KEY_LIMIT = 200
_NOTES_LIMIT = 500
_EVERYTHING = TaskFilter()


def create(
    tx: Tx, *, task_id: str = "", external_key: str = "", **fields: Unpack[TaskFields]
) -> Task:
    """Put a new task in the queued column.

    Shape:  `task_id` may be chosen by the client; our own numbers go on after it. `title`
            is required.
    Raises: AlreadyExists when the id or the external key is taken, NotFound when a
            need is unknown, InvalidArgument.
    """
    given = {name: value for name, value in fields.items() if value}
    values = checked(cast(TaskFields, {"title": "", **given}))
    require_line("external_key", external_key, limit=_KEY_LIMIT, least=0)
    if external_key:
        _require_new_key(tx, external_key)
    if values.get("needs"):
        _require_known(tx, values["needs"])
    new_id = _chosen_id(tx, task_id) if task_id else TaskId(tx.new_id("T"))
    me = tx.principal.name
    task = Task(
        id=new_id,
        external_key=external_key,
        created_at=tx.now,
        created_by=me,
        updated_at=tx.now,
        updated_by=me,
        **values,
    )
    store.insert(tx, task)
    tx.bump(COLLECTION)
    events.append(tx, "task_created", target=task.id, **filled(task))
    return task


def get_(tx: Tx, task_id: str) -> Task:
    """Get a task.

    Raises: NotFound.
    """
    task = store.find(tx, task_id)
    if task is None:
        raise NotFound(task_id[:NAME_LIMIT], fix=["task list"])
    return task


def find_(tx: Tx, task_id: str) -> Task | None:
    """Find a task; None when there is none."""
    return store.find(tx, task_id)


def find_by_key(tx: Tx, external_key: str) -> Task | None:
    """Find a task by its external key; None when there is none."""
    require_line("external_key", external_key, limit=_KEY_LIMIT, least=0)
    return store.find_by_key(tx, external_key)


def list_(
    tx: Tx, wanted: TaskFilter = _EVERYTHING, *, limit: int = 50, cursor: str = ""
) -> Page[Task]:
    """List tasks, the highest number first; pages are stable under inserts."""
    size = page_size(limit)
    require_line("assignee", wanted.assignee, limit=NAME_LIMIT, least=0)
    require_line("label", wanted.label, limit=NAME_LIMIT, least=0)
    below = parse_cursor(cursor) if cursor else None
    found = store.list_before(tx, below, wanted, limit=size + 1)
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], render_cursor(number_of(found[size - 1].id, "T") or 0))


def count_by_status(tx: Tx) -> dict[Status, int]:
    """Count the tasks in each status that has any."""
    return store.count_by_status(tx)


def count_queued_by_lane(tx: Tx) -> dict[Lane, int]:
    """Count the queued tasks in each lane that has any."""
    return store.count_queued_by_lane(tx)


def change(
    tx: Tx, task_id: str, *, if_match: str = "", **fields: Unpack[TaskFields]
) -> Task:
    """Set fields of a task; equal values change nothing, not even the version.

    Raises: NotFound, StaleVersion, Conflict for a cycle of needs, InvalidArgument.
    """
    task = get_(tx, task_id)
    require_match(tx, task, if_match)
    values = checked(fields, dod=task.dod)
    if values.get("needs"):
        _require_known(tx, values["needs"])
        _require_no_cycle(tx, task.id, values["needs"])
    return save(tx, task, replace(task, **values), "task_changed")


def add_note(tx: Tx, task_id: str, text: str) -> Task:
    """Append a remark to a task.

    Raises: NotFound, InvalidArgument, Conflict when the task is full of notes.
    """
    task = get_(tx, task_id)
    require_text("text", text, limit=NOTE_LIMIT, least=1)
    if len(task.notes) >= _NOTES_LIMIT:
        raise Conflict(
            f"{task.id} has {_NOTES_LIMIT} notes, the most that a task takes",
            fix=["write on in a new task"],
        )
    note = Note(at=tx.now, by=tx.principal.name, text=text)
    after = replace(task, notes=(*task.notes, note))
    return save(tx, task, after, "note_added", text=text)


def tick_dod(
    tx: Tx, task_id: str, which: int | str, *, is_done: bool = True, if_match: str = ""
) -> Task:
    """Tick, or untick, one line of the definition of done.

    Shape:  `which` is its text, or its place counted from 1.
    Raises: NotFound for the task or the line, StaleVersion.
    """
    task = get_(tx, task_id)
    require_match(tx, task, if_match)
    place = _place_in(task, which)
    lines = list(task.dod)
    lines[place] = DodItem(text=lines[place].text, is_done=is_done)
    return save(tx, task, replace(task, dod=tuple(lines)), "task_changed")


def unmet_needs(tx: Tx, task: Task) -> tuple[TaskId, ...]:
    """List the needs of a task that are not done yet."""
    if not task.needs:
        return ()
    statuses = store.statuses_of(tx, task.needs)
    return tuple(each for each in task.needs if statuses.get(each) is not Status.DONE)


def _chosen_id(tx: Tx, task_id: str) -> TaskId:
    number = chosen_number(task_id)
    if store.find(tx, task_id):
        raise AlreadyExists(f"{task_id} is taken", fix=[f"task show {task_id}"])
    tx.advance_id("T", number)
    return TaskId(task_id)


def _require_new_key(tx: Tx, external_key: str) -> None:
    taken = store.find_by_key(tx, external_key)
    if taken:
        raise AlreadyExists(
            f"{taken.id} has the external key {external_key}",
            fix=[f"task show {taken.id}"],
            id=taken.id,
        )


def _require_known(tx: Tx, needs: Sequence[TaskId]) -> None:
    known = store.statuses_of(tx, needs)
    for each in needs:
        if each not in known:
            raise NotFound(each, fix=["task list"], field="needs")


def _require_no_cycle(tx: Tx, task_id: TaskId, needs: Sequence[TaskId]) -> None:
    """Follow the needs level by level; meeting the task itself closes a circle."""
    seen: set[str] = set()
    level: set[str] = set(needs)
    while level:
        if task_id in level:
            raise Conflict(
                f"{task_id} would wait for itself",
                fix=[f"task show {each}" for each in needs],
                field="needs",
            )
        seen |= level
        below = store.needs_of(tx, level).values()
        level = {each for each_needs in below for each in each_needs} - seen


def _place_in(task: Task, which: int | str) -> int:
    texts = [each.text for each in task.dod]
    if isinstance(which, str) and which in texts:
        return texts.index(which)
    if isinstance(which, int) and 1 <= which <= len(texts):
        return which - 1
    if isinstance(which, int) and not texts:
        raise InvalidArgument(
            f"{task.id} has no definition of done",
            fix=[f'task set {task.id} --dod "..."'],
            field="which",
        )
    raise NotFound(
        f"line {str(which)[:NAME_LIMIT]!r} in the definition of done of {task.id}",
        fix=[f'task tick {task.id} "{text}"' for text in texts],
    )
