"""A job and the states that it passes through; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from core.kernel.clock import to_iso
from core.kernel.etag import digest, entity_tag
from core.kernel.ids import JobId
from core.kernel.jsons import Json, canonical_json
from core.kernel.lanes import Lane
from core.kernel.problems import IllegalMove, NotFound
from core.runs.model import ReplyTo

COLLECTION = "jobs"
KIND = "job.generate"
STEP = "generate"
USES = "provider/generate"


class JobStatus(StrEnum):
    """Where a job stands; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    REVIEW = "review"
    ACCEPTED = "accepted"
    EXPORTED = "exported"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Format(StrEnum):
    """What the text of a variant is."""

    MD = "md"
    TXT = "txt"
    JSON = "json"


_Q, _R, _V, _A = (
    JobStatus.QUEUED,
    JobStatus.RUNNING,
    JobStatus.REVIEW,
    JobStatus.ACCEPTED,
)
MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    _Q: frozenset({_R, JobStatus.FAILED, JobStatus.CANCELLED}),
    _R: frozenset({_V, JobStatus.FAILED, JobStatus.CANCELLED}),
    _V: frozenset({_A, JobStatus.CANCELLED}),
    _A: frozenset({_V, JobStatus.EXPORTED, JobStatus.CANCELLED}),
    JobStatus.EXPORTED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}
"""What may follow what; from accepted back to review when the acceptance is taken back."""

TERMINAL = frozenset(status for status, next_ in MOVES.items() if not next_)
WORKING = frozenset({_Q, _R})
"""Where a run is at work, or is to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What somebody wants made; who that is comes with the transaction.

    Shape:  `preset` names where the rest begins, "" for nowhere. `variants` of 0 and no
            `format` leave it to the preset. The same `idempotency_key` of the same
            person gives the job that there is already. `reply_to` is told how it goes.
    """

    title: str
    description: str = ""
    preset: str = ""
    input: Mapping[str, Json] = field(default_factory=dict)
    variants: int = 0
    format: Format | None = None
    lane: Lane = Lane.C
    idempotency_key: str = ""
    reply_to: ReplyTo = field(default_factory=ReplyTo)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A deliverable: variants are made by a run, one is accepted, then exported.

    Shape:  `accepted` is the id of the accepted variant, "" for none. `reason` says why
            it failed or was cancelled.
    """

    id: JobId
    title: str
    description: str = ""
    preset: str = ""
    input: Mapping[str, Json] = field(default_factory=dict)
    status: JobStatus = JobStatus.QUEUED
    reason: str = ""
    run_id: str = ""
    accepted: str = ""
    idempotency_key: str = ""
    actor_id: str
    actor: str
    created_at: datetime
    changed_at: datetime
    finished_at: datetime | None = None
    version: int = 1

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.status in TERMINAL

    @cached_property
    def shown(self) -> Mapping[str, Json]:
        """The job as JSON, all of it but its own etag; times in ISO 8601."""
        return _show(self)

    @cached_property
    def etag(self) -> str:
        """The strong entity tag: version and digest of the canonical view."""
        return entity_tag(self.version, digest(canonical_json(self.shown)))

    @cached_property
    def tagged(self) -> dict[str, Json]:
        """The job as JSON together with its etag; not to be changed."""
        return {**self.shown, "etag": self.etag}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows; what is empty restricts nothing."""

    status: JobStatus | None = None
    preset: str = ""
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


def require_move(job: Job, to: JobStatus) -> None:
    """Refuse a step that the table does not have.

    Raises: IllegalMove saying what can be done instead.
    """
    if to in MOVES[job.status]:
        return
    raise IllegalMove(
        f"{job.id} is {job.status} and cannot become {to}",
        fix=[f"job show {job.id}"],
        status=job.status.value,
    )


def unknown(reference: str) -> NotFound:
    """Say that there is no such job."""
    return NotFound(f"the job {reference[:40]}", fix=["job list"])


def _show(job: Job) -> dict[str, Json]:
    return {
        "id": job.id,
        "title": job.title,
        "description": job.description,
        "preset": job.preset,
        "input": dict(job.input),
        "status": job.status.value,
        "reason": job.reason,
        "run_id": job.run_id,
        "accepted": job.accepted,
        "created_by": job.actor,
        "created_at": to_iso(job.created_at),
        "changed_at": to_iso(job.changed_at),
        "finished_at": to_iso(job.finished_at) if job.finished_at else None,
        "version": job.version,
    }
