"""What an event means to whoever watches: said in a line, with the state as it is now."""

from collections.abc import Sequence
from dataclasses import dataclass

from commands import blocks
from commands.task_replies import next_steps
from core.collab import tasks
from core.collab.tasks import TERMINAL, Task
from core.database import Tx
from core.events.model import Event
from core.kernel.ids import PREFIX_NOUNS
from core.kernel.jsons import Json
from core.kernel.reply import Block, Reply
from core.runs import service as runs
from gateway.run_cards import ENDS as RUN_ENDS
from gateway.run_cards import JOB_ENDS, run_card, words_of

# Nobody wants to hear of these: they follow from others, or say that all is as it was.
QUIET = frozenset({"lease_acquired", "lease_renewed", "lease_released"})

_OPEN_APPROVAL = frozenset({"approval_requested", "approval_given", "approval_granted"})
_TASK_FIELDS = ("status", "assignee", "lane", "reason")
_SUMMARY_LIMIT = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An event as it is told, and whether it is the last of its object."""

    reply: Reply
    is_last: bool


def scope_of(target: str) -> str:
    """Name the right that it takes to hear of an object."""
    return f"{noun_of(target)}s:read"


def noun_of(target: str) -> str:
    """Name what kind of thing an id is of; "" for none of ours."""
    return PREFIX_NOUNS.get(target.partition("-")[0], "")


def news_of(tx: Tx, event: Event) -> News:
    """Say what happened, and how its object stands now."""
    task = tasks.find_(tx, event.target) if noun_of(event.target) == "task" else None
    what = _of_task(event, task) if task else words_of(event)
    return News(
        reply=Reply(
            summary=f"{event.target}: {what}, by {event.actor}"[:_SUMMARY_LIMIT],
            blocks=_blocks(event, task),
            data=_data(event, task),
        ),
        is_last=is_last(event),
    )


def card_of(tx: Tx, event: Event) -> News:
    """Show a task or a run as it is now, for a message that is kept up to date.

    Raises: NotFound.
    """
    if noun_of(event.target) == "run":
        card = run_card(tx, runs.get_(tx, event.target))
        return News(reply=card, is_last=is_last(event))
    task = tasks.get_(tx, event.target)
    summary = f"{task.id} {task.title}: {_words(task.status)}"
    if task.assignee:
        summary = f"{summary}, {task.assignee}"
    last = f"{_of_task(event, task)}, by {event.actor}"
    return News(
        reply=Reply(
            summary=summary[:_SUMMARY_LIMIT],
            blocks=(
                blocks.fields(*_facts(task), ("last", last)),
                next_steps(task),
            ),
            data=_data(event, task),
        ),
        is_last=is_last(event),
    )


def is_last(event: Event) -> bool:
    """Tell whether nothing more is to be expected of an object after an event."""
    if event.type == "status_changed":
        return event.details.get("status") in set(TERMINAL)
    if event.type in RUN_ENDS or event.type in JOB_ENDS:
        return True
    return event.type.startswith("approval_") and event.type not in _OPEN_APPROVAL


def _of_task(event: Event, task: Task) -> str:
    details = event.details
    match event.type:
        case "status_changed":
            return f"{task.title} is {_words(str(details.get('status', task.status)))}"
        case "note_added":
            return f"{task.title} has a new note"
        case "task_changed":
            changed = ", ".join(sorted(_words(name) for name in details))
            return f"{task.title} has another {changed}"
    return f"{task.title}: {_words(event.type)}"


def _blocks(event: Event, task: Task | None) -> Sequence[Block]:
    stop = ("Stop telling me", f"unwatch {event.target}")
    if task is None:
        return (blocks.actions(("Open", event.target), stop),)
    text = event.details.get("text")
    note = (("note", text),) if event.type == "note_added" else ()
    return (
        blocks.fields(*_facts(task), *note),
        blocks.actions(("Open", f"task show {task.id}"), stop),
    )


def _facts(task: Task) -> Sequence[tuple[str, object]]:
    return [(name, getattr(task, name)) for name in _TASK_FIELDS]


def _data(event: Event, task: Task | None) -> dict[str, Json]:
    return {
        "id": event.target,
        "event": event.type,
        "actor": event.actor,
        "seq": event.seq,
        "status": task.status.value if task else "",
    }


def _words(name: str) -> str:
    return name.replace("_", " ")
