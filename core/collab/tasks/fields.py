"""What the fields of a task may hold; pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from core.collab.tasks.model import DodItem
from core.kernel.ids import TaskId, number_of
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.texts import require_line, require_text

TITLE_LIMIT = 200
BODY_LIMIT = 20_000
NAME_LIMIT = 100
LABEL_LIMIT = 40
TEXT_LIMIT = 500
NOTE_LIMIT = 4_000
REASON_LIMIT = 500
MANY = 50
PRIORITY_LIMIT = 100
HIGHEST_CHOSEN_NUMBER = 10**12


class TaskFields(TypedDict, total=False):
    """The fields of a task that a person may set; those left out stay as they are.

    Shape:  `dod` holds texts; a text that was ticked before stays ticked.
    Units:  `priority` is -100 to 100, the higher the sooner.
    """

    title: str
    body: str
    assignee: str
    priority: int
    lane: Lane
    labels: Sequence[str]
    needs: Sequence[str]
    dod: Sequence[str]


def checked(fields: TaskFields, *, dod: Sequence[DodItem] = ()) -> dict[str, Any]:
    """Return the fields as a Task holds them; `dod` is the checklist until now.

    Raises: InvalidArgument naming the field.
    """
    values: dict[str, Any] = {
        name: _CHECKS[name](value) for name, value in fields.items()
    }
    if "dod" in values:
        values["dod"] = _ticked(values["dod"], dod)
    return values


def chosen_number(task_id: str) -> int:
    """Read the number of an id that a client chose.

    Raises: InvalidArgument unless it is `T-<n>`, with n up to a million millions.
    """
    number = number_of(task_id, "T")
    if number is None or number > HIGHEST_CHOSEN_NUMBER:
        raise InvalidArgument(
            f"{task_id[:NAME_LIMIT]!r} cannot be the id of a task",
            fix=["leave it out, or use T-<number>", "use external_key for other keys"],
            field="id",
        )
    return number


def _ticked(texts: Sequence[str], before: Sequence[DodItem]) -> tuple[DodItem, ...]:
    done = {each.text for each in before if each.is_done}
    return tuple(DodItem(text=text, is_done=text in done) for text in texts)


def _title(value: str) -> str:
    return require_line("title", value, limit=TITLE_LIMIT)


def _body(value: str) -> str:
    return require_text("body", value, limit=BODY_LIMIT)


def _assignee(value: str) -> str:
    return require_line("assignee", value, limit=NAME_LIMIT, least=0)


def _priority(value: int) -> int:
    if not -PRIORITY_LIMIT <= value <= PRIORITY_LIMIT:
        raise InvalidArgument(
            f"{value} is no priority",
            field="priority",
            fix=[f"use -{PRIORITY_LIMIT} to {PRIORITY_LIMIT}"],
        )
    return value


def _labels(values: Sequence[str]) -> tuple[str, ...]:
    labels = (require_line("label", each, limit=LABEL_LIMIT).lower() for each in values)
    return _distinct("labels", labels)


def _needs(values: Sequence[str]) -> tuple[TaskId, ...]:
    for each in values:
        if number_of(each, "T") is None:
            raise InvalidArgument(
                f"{each[:NAME_LIMIT]!r} is not the id of a task",
                field="needs",
                fix=["use ids such as T-9"],
            )
    return _distinct("needs", map(TaskId, values))


def _dod(values: Sequence[str]) -> tuple[str, ...]:
    return _distinct(
        "dod", (require_line("dod", each, limit=TEXT_LIMIT) for each in values)
    )


def _distinct(name: str, values: Any) -> tuple[Any, ...]:
    distinct = tuple(dict.fromkeys(values))
    if len(distinct) > MANY:
        raise InvalidArgument(
            f"{name} has {len(distinct)} entries",
            fix=[f"use at most {MANY}"],
            field=name,
        )
    return distinct


_CHECKS: Mapping[str, Callable[[Any], object]] = {
    "title": _title,
    "body": _body,
    "assignee": _assignee,
    "priority": _priority,
    "lane": Lane,
    "labels": _labels,
    "needs": _needs,
    "dod": _dod,
}
