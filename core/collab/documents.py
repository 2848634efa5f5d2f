"""The state documents: whole collections as canonical JSON, with their ETags.

The digest inside an ETag is the sha256 of the very bytes, so that a mirrored file can
be checked against it. The version rises in the unit that changes anything.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from core.collab.agents import model as agent_model
from core.collab.agents import store as agent_store
from core.collab.tasks import store as task_store
from core.collab.tasks.model import Task
from core.database import Tx
from core.kernel.etag import digest, entity_tag
from core.kernel.jsons import Json, canonical_json
from core.leases import model as lease_model
from core.leases import store as lease_store

Document = tuple[bytes, str]


class Kind(StrEnum):
    """The collections that are shown and mirrored whole."""

    TASKS = "tasks"
    LOCKS = "locks"
    AGENTS = "agents"


def tasks_document(tx: Tx) -> Document:
    """Render all tasks by number: `{"tasks": [...]}` and its unquoted ETag."""
    return _joined(tx, Kind.TASKS, task_store.render_each(tx, _task_row))


def locks_document(tx: Tx) -> Document:
    """Render all held leases by number: `{"locks": [...]}` and its unquoted ETag."""
    return _document(tx, Kind.LOCKS, map(lease_model.view, lease_store.list_all(tx)))


def agents_document(tx: Tx) -> Document:
    """Render all agents by name: `{"agents": [...]}` and its unquoted ETag."""
    return _document(tx, Kind.AGENTS, map(agent_model.view, agent_store.list_all(tx)))


DOCUMENTS: Mapping[Kind, Callable[[Tx], Document]] = {
    Kind.TASKS: tasks_document,
    Kind.LOCKS: locks_document,
    Kind.AGENTS: agents_document,
}


def _document(tx: Tx, kind: Kind, views: Iterable[dict[str, Json]]) -> Document:
    """Join the views row by row, which holds one of thousands in memory at a time."""
    return _joined(tx, kind, map(canonical_json, views))


def _task_row(task: Task) -> bytes:
    return canonical_json(task.shown)


def _joined(tx: Tx, kind: Kind, rows: Iterable[bytes]) -> Document:
    body = b'{"%b":[%b]}' % (kind.value.encode(), b",".join(rows))
    return body, entity_tag(tx.version(kind.value), digest(body))
