"""Tasks that follow something elsewhere: found by the key that it has there."""

from enum import StrEnum
from typing import NamedTuple, Unpack

from core.collab.tasks.fields import NAME_LIMIT, TITLE_LIMIT, TaskFields
from core.collab.tasks.model import Status, Task
from core.collab.tasks.service import create, find_by_key
from core.collab.tasks.workflow import Move, reopen, transition
from core.database import Tx
from core.kernel.problems import InvalidArgument, NotFound


class Happened(StrEnum):
    """What it took to have a task under a key."""

    CREATED = "created"
    REOPENED = "reopened"
    THERE = "there"
    OVER = "over"


class Ensured(NamedTuple):
    """A task with a key, and what it took."""

    task: Task
    happened: Happened


def get_by_key(tx: Tx, external_key: str) -> Task:
    """Get the task that has a key.

    Raises: NotFound naming the key.
    """
    found = find_by_key(tx, external_key)
    if found is None:
        raise NotFound(
            f"a task with the key {external_key[:NAME_LIMIT]}", fix=["task list"]
        )
    return found


def ensure(
    tx: Tx,
    external_key: str,
    *,
    reopens: frozenset[Status] = frozenset({Status.ABANDONED}),
    **fields: Unpack[TaskFields],
) -> Ensured:
    """Have a task with a key: make it unless there is one.

    Shape:  one that ended in a status of `reopens` is queued again; one that ended
            otherwise stays over. `title` is required; its first line counts, cut to
            what a title may hold, for it comes from programs.
    Raises: InvalidArgument.
    """
    if not external_key.strip():
        raise InvalidArgument(
            "external_key is empty", fix=["give what the sender calls it"]
        )
    found = find_by_key(tx, external_key)
    if found is None:
        fields["title"] = short(fields.get("title", ""))
        made = create(tx, external_key=external_key, **fields)
        return Ensured(made, Happened.CREATED)
    if found.is_open:
        return Ensured(found, Happened.THERE)
    if found.status not in reopens:
        return Ensured(found, Happened.OVER)
    return Ensured(reopen(tx, found, reason="seen again").task, Happened.REOPENED)


def withdraw(tx: Tx, external_key: str, *, reason: str) -> Move | None:
    """Abandon the task with a key; None when there is none.

    Shape:  one that is over already stays as it is, and its move leads nowhere.
    """
    found = find_by_key(tx, external_key)
    if found is None:
        return None
    if not found.is_open:
        return Move(task=found, old_status=found.status)
    return transition(tx, found.id, Status.ABANDONED, reason=reason)


def short(title: str) -> str:
    """Cut what a program calls something to the one line that a title is."""
    lines = title.strip().splitlines()
    line = lines[0].rstrip() if lines else ""
    return line if len(line) <= TITLE_LIMIT else line[: TITLE_LIMIT - 1] + "…"


def is_moved(move: Move) -> bool:
    """Tell whether a move led anywhere."""
    return move.task.status is not move.old_status
