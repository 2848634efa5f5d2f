"""The backlog: the tasks that a new installation can be filled with."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core.kernel.jsons import Json
from core.kernel.reply import Reply

Send = Callable[[Mapping[str, object]], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacklogTask:
    """One task of the backlog; `needs` are tasks that stand before it."""

    id: str
    title: str
    dod: Sequence[str]
    needs: Sequence[str] = ()

    @property
    def key(self) -> str:
        """The idempotency key of its creation."""
        return f"seed-{self.id}"

    @property
    def args(self) -> dict[str, Json]:
        """The arguments of the `task create` that makes it."""
        return {
            "id": self.id,
            "external_key": f"TDS-{self.id.removeprefix('T-')}",
            "title": self.title,
            "dod": list[Json](self.dod),
            "needs": list[Json](self.needs),
        }

    @property
    def message(self) -> Mapping[str, object]:
        """The JSON command that creates it."""
        return {"command": "task.create", "id": self.key, "args": self.args}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one task; `is_there` tells whether it exists now."""

    task_id: str
    summary: str
    is_there: bool


BACKLOG: Sequence[BacklogTask] = (
    BacklogTask(
        id="T-100",
        title="Collab state with ETags",
        dod=(
            "GET answers 304 for a known ETag",
            "a stale If-Match is refused",
            "tests",
        ),
    ),
    BacklogTask(
        id="T-101",
        title="Leases with heartbeat",
        dod=("one holder at a time", "a missed heartbeat frees the resource", "tests"),
        needs=("T-100",),
    ),
    BacklogTask(
        id="T-102",
        title="Event log and tail",
        dod=("events are append-only", "a tail resumes without loss", "tests"),
        needs=("T-100",),
    ),
    BacklogTask(
        id="T-103",
        title="Task board",
        dod=("cards move by the state machine", "a conflict is explained", "docs"),
        needs=("T-100", "T-101"),
    ),
    BacklogTask(
        id="T-104",
        title="Agents registry",
        dod=("an agent registers and is seen", "availability can be toggled", "tests"),
        needs=("T-100",),
    ),
    BacklogTask(
        id="T-105",
        title="Human log",
        dod=("selected events read as Markdown", "docs"),
        needs=("T-102",),
    ),
    BacklogTask(
        id="T-200",
        title="Jobs API",
        dod=("create, list, show and cancel", "a repeated key makes one job", "tests"),
        needs=("T-102",),
    ),
    BacklogTask(
        id="T-201",
        title="Variants and accept",
        dod=("variants are listed and edited", "one is accepted for a job", "tests"),
        needs=("T-200",),
    ),
    BacklogTask(
        id="T-202",
        title="Export",
        dod=("zip, md and json", "a download link expires", "tests"),
        needs=("T-201",),
    ),
    BacklogTask(
        id="T-203",
        title="Scheduler",
        dod=("cron with time zones", "no tick fires twice", "tests"),
        needs=("T-200",),
    ),
    BacklogTask(
        id="T-204",
        title="Studio",
        dod=("jobs, variants and exports on one page", "works by keyboard", "docs"),
        needs=("T-201", "T-202", "T-203"),
    ),
)


def run(send: Send) -> Iterator[Outcome]:
    """Create the tasks one after another, so that what a task needs is there.

    Shape:  running it again changes nothing: a task that exists counts as there.
    """
    for task in BACKLOG:
        reply = send(task.message)
        is_old = reply.error is not None and reply.error.code == "already_exists"
        yield Outcome(
            task_id=task.id,
            summary="is there already" if is_old or reply.replayed else reply.summary,
            is_there=reply.error is None or is_old,
        )
