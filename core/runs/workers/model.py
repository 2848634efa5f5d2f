"""A worker as the queue knows it; pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.texts import require_line

COLLECTION = "workers"
SILENT_AFTER = timedelta(seconds=90)
"""How long a worker may say nothing; one without work asks for some more often."""

HEARD_EVERY = timedelta(seconds=5)
MOST_LABELS = 32

_NAME_LIMIT = 100
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=-]{0,62}")


class WorkerState(StrEnum):
    """Whether a worker takes runs."""

    ONLINE = "online"
    DRAINING = "draining"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Something that takes runs and does them.

    Shape:  `owner_id` is the id of the principal that registered it: nobody else may
            speak for it. No `lanes` means all.
    """

    name: str
    host: str
    state: WorkerState
    lanes: tuple[Lane, ...]
    labels: frozenset[str]
    owner_id: str
    heartbeat_at: datetime
    created_at: datetime


def view(worker: Worker, *, holds: Iterable[str] = ()) -> dict[str, Json]:
    """Show a worker as JSON; `holds` are the ids of the runs that it has."""
    return {
        "name": worker.name,
        "host": worker.host,
        "state": worker.state.value,
        "lanes": [lane.value for lane in worker.lanes or Lane],
        "labels": [*sorted(worker.labels)],
        "heartbeat_at": to_iso(worker.heartbeat_at),
        "created_at": to_iso(worker.created_at),
        "holds": [*holds],
    }


def require_worker_name(name: str) -> str:
    """Return the name if a worker may have it.

    Raises: InvalidArgument.
    """
    return require_line("worker", name, limit=_NAME_LIMIT)


def require_labels(labels: Iterable[str]) -> frozenset[str]:
    """Return the labels if all of them are some.

    Raises: InvalidArgument.
    """
    found = frozenset(labels)
    if len(found) > MOST_LABELS:
        raise InvalidArgument(
            f"there are {len(found)} labels",
            fix=[f"use at most {MOST_LABELS}"],
            argument="labels",
        )
    for label in sorted(found):
        if not _LABEL.fullmatch(label):
            raise InvalidArgument(
                f"{label[:63]!r} is no label",
                fix=["use letters, digits and . _ : / = -, such as gpu or os=linux"],
                argument="labels",
            )
    return found


def unknown(name: str) -> NotFound:
    """Say that no such worker was ever heard of."""
    return NotFound(f"the worker {name[:40]}", fix=["worker list"])
