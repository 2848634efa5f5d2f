"""Rebuild the board from events alone; pure.

Each change of a task is one event that carries the new values, so the log is a second
copy of the board: against it the first one can be checked, or made again.
"""

from collections.abc import Iterable

from core.collab.tasks.model import Task, blank, view
from core.events.model import Event
from core.kernel.clock import to_iso
from core.kernel.ids import TaskId, number_of
from core.kernel.jsons import Json

View = dict[str, Json]

_CHANGES = frozenset({"task_changed", "status_changed"})
_FIELDS = frozenset(Task.__dataclass_fields__)


def replay(told: Iterable[Event]) -> list[View]:
    """Return the tasks as they stand after all these events, by number.

    Shape:  `told` starts with the first event of the tenant and leaves none out; the
            result equals the `tasks` of the state document of that moment.
    """
    board: dict[str, View] = {}
    for event in told:
        if event.type == "task_created":
            board[event.target] = _born(event)
        elif event.type in _CHANGES:
            _change(board[event.target], event, event.details)
        elif event.type == "note_added":
            task = board[event.target]
            _change(task, event, {"notes": _noted(task, event)})
    return [board[task_id] for task_id in sorted(board, key=_number)]


def _born(event: Event) -> View:
    empty = blank(TaskId(event.target), at=event.ts, by=event.actor)
    return {**view(empty), **event.details}


def _change(task: View, event: Event, values: object) -> None:
    assert isinstance(values, dict)
    task |= {name: value for name, value in values.items() if name in _FIELDS}
    version = task["version"]
    assert isinstance(version, int)
    task |= {
        "version": version + 1,
        "updated_at": to_iso(event.ts),
        "updated_by": event.actor,
    }


def _noted(task: View, event: Event) -> Json:
    notes = task["notes"]
    assert isinstance(notes, list)
    note: Json = {
        "at": to_iso(event.ts),
        "by": event.actor,
        "text": event.details["text"],
    }
    return [*notes, note]


def _number(task_id: str) -> int:
    return number_of(task_id, "T") or 0
