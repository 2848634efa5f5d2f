"""What somebody changed in a copy of tasks.json, and the commands that would do it.

Each task in the file carries the version that the edit began from, so what changed is
known task by task, and an edit of something that moved on meanwhile is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from core.collab.documents import tasks_document
from core.collab.replay import View, replay
from core.database import Tx
from core.events import service as events
from core.events.model import EventFilter
from core.kernel.etag import digest, entity_tag
from core.kernel.ids import number_of
from core.kernel.jsons import Json, canonical_json, parse_json
from core.kernel.problems import InvalidArgument

_SET = frozenset({"title", "body", "assignee", "priority", "lane", "labels", "needs"})
_EDITABLE = _SET | {"dod", "status", "reason", "notes"}
_BORN = _SET | {"external_key"}
_BOARD_EVENTS = frozenset(
    {"task_created", "task_changed", "status_changed", "note_added"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command of an import; those that take no If-Match say so."""

    command: str
    args: Mapping[str, Json]
    is_matched: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A field before and after."""

    name: str
    before: Json
    after: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is to become of one task; with a `refusal` nothing is.

    Shape:  `etag` is the task's present tag, "" for a new task.
    """

    task_id: str
    changes: Sequence[Change] = ()
    calls: Sequence[Call] = ()
    etag: str = ""
    refusal: str = ""


def parse_tasks(raw: bytes) -> Sequence[View]:
    """Read the tasks of a state document.

    Raises: InvalidJson, InvalidArgument when it is not such a document.
    """
    document = parse_json(raw)
    found = document.get("tasks") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise InvalidArgument(
            "this is no tasks.json; locks, agents and events are not edited by hand",
            fix=["put the files back: ops collab export --force"],
            field="file",
        )
    return [_checked(each) for each in found]


def plan(tx: Tx, wanted: Sequence[View]) -> Sequence[Edit]:
    """Work out what changed in the file since the versions that it was made from."""
    body, _ = tasks_document(tx)
    present = {task["id"]: task for task in orjson.loads(body)["tasks"]}
    edits = [_edit_of(tx, each, present.get(each["id"])) for each in wanted]
    return [*filter(None, edits), *_removed(wanted, present.values())]


def _edit_of(tx: Tx, wanted: View, present: View | None) -> Edit | None:
    task_id = str(wanted["id"])
    if present is None:
        return _birth(task_id, wanted)
    is_fresh = wanted.get("version") == present["version"]
    base = present if is_fresh else _past(tx, task_id, wanted.get("version"))
    if base is None:
        return Edit(task_id=task_id, refusal="its version in the file was never there")
    changes = _changes(base, wanted)
    if not changes:
        return None
    if not is_fresh:
        why = f"{present['updated_by']} changed it since; see the task and edit again"
        return Edit(task_id=task_id, changes=changes, refusal=why)
    return Edit(
        task_id=task_id,
        changes=changes,
        calls=list(_calls(task_id, base, wanted, {each.name for each in changes})),
        etag=entity_tag(_int(present["version"]), digest(canonical_json(present))),
        refusal=_refusal(changes),
    )


def _birth(task_id: str, wanted: View) -> Edit:
    fields = {name: wanted[name] for name in sorted(_BORN & wanted.keys())}
    blank: View = {"dod": [], "notes": []}
    create = Call(
        command="task.create",
        args={"id": task_id, **fields, "dod": _texts(wanted)},
        is_matched=False,
    )
    is_new = wanted.get("status", "queued") == "queued"
    return Edit(
        task_id=task_id,
        changes=[each for each in _changes({"id": task_id}, wanted) if each.after],
        calls=[
            create,
            *_ticks(task_id, blank, wanted),
            *_notes(task_id, blank, wanted),
        ],
        refusal="" if is_new else "a new task begins as queued",
    )


def _removed(wanted: Sequence[View], present: Iterable[View]) -> Iterator[Edit]:
    """Name the tasks that were there when the file was made, and are not in it."""
    kept = {each["id"] for each in wanted}
    made_at = max((str(each.get("updated_at", "")) for each in wanted), default="")
    for task in present:
        if task["id"] not in kept and str(task["created_at"]) <= made_at:
            why = "it is not in the file; a task is abandoned, never deleted"
            yield Edit(task_id=str(task["id"]), refusal=why)


def _past(tx: Tx, task_id: str, version: Json) -> View | None:
    """Rebuild a task as it was; each of its versions is one event."""
    if not isinstance(version, int) or version < 1:
        return None
    wanted = EventFilter(types=_BOARD_EVENTS, targets=frozenset({task_id}))
    told = events.list_after(tx, 0, wanted, limit=version)
    if len(told) < version or told[0].type != "task_created":
        return None
    return replay(told)[0]


def _changes(base: View, wanted: View) -> Sequence[Change]:
    return [
        Change(name=name, before=base.get(name), after=value)
        for name, value in wanted.items()
        if base.get(name) != value
    ]


def _refusal(changes: Sequence[Change]) -> str:
    names = {each.name for each in changes}
    fixed = sorted(names - _EDITABLE)
    if fixed:
        return f"{', '.join(fixed)} cannot be edited"
    if "reason" in names and "status" not in names:
        return "a reason is given with a move to another status"
    notes = next((each for each in changes if each.name == "notes"), None)
    if notes and not _is_longer(notes):
        return "notes can only be added"
    return ""


def _calls(task_id: str, base: View, wanted: View, names: set[str]) -> Iterator[Call]:
    fields = {name: wanted[name] for name in sorted(_SET & names)}
    if "dod" in names and _texts(wanted) != _texts(base):
        fields["dod"] = _texts(wanted)
    if fields:
        yield Call(command="task.set", args={"task": task_id, **fields})
    yield from _ticks(task_id, base, wanted)
    if "status" in names:
        args = {"task": task_id, "status": wanted["status"]}
        if wanted.get("reason"):
            args["reason"] = wanted["reason"]
        yield Call(command="task.move", args=args)
    yield from _notes(task_id, base, wanted)


def _ticks(task_id: str, base: View, wanted: View) -> Iterator[Call]:
    """Tick what is ticked in the file; a text that stays keeps its tick."""
    before = dict(_lines(base))
    for number, (text, is_done) in enumerate(_lines(wanted), start=1):
        if is_done != before.get(text, False):
            line: View = {"which": str(number), "undone": not is_done}
            yield Call(command="task.tick", args={"task": task_id, **line})


def _notes(task_id: str, base: View, wanted: View) -> Iterator[Call]:
    known = len(_rows(base, "notes"))
    for note in _rows(wanted, "notes")[known:]:
        args = {"task": task_id, "text": note.get("text")}
        yield Call(command="task.note", args=args, is_matched=False)


def _is_longer(notes: Change) -> bool:
    before, after = notes.before or [], notes.after
    assert isinstance(before, list)
    return isinstance(after, list) and after[: len(before)] == before


def _texts(task: View) -> list[Json]:
    return [text for text, _ in _lines(task)]


def _lines(task: View) -> list[tuple[str, bool]]:
    return [
        (str(each.get("text", "")), each.get("is_done") is True)
        for each in _rows(task, "dod")
    ]


def _rows(task: View, name: str) -> list[dict[str, Json]]:
    rows = task.get(name, [])
    assert isinstance(rows, list)
    return [each for each in rows if isinstance(each, dict)]


def _checked(task: Json) -> View:
    """Let a task of the file pass if it has an id and lists where lists belong."""
    if not isinstance(task, dict) or number_of(str(task.get("id")), "T") is None:
        raise InvalidArgument(
            "a task in the file has no id", fix=["use T-<number>"], field="file"
        )
    for name in ("dod", "notes"):
        rows = task.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InvalidArgument(
                f"{name} of {task['id']} is no list of objects",
                fix=["take the form from tasks.json"],
                field="file",
            )
    return task


def _int(value: Json) -> int:
    assert isinstance(value, int)
    return value
