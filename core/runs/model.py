"""A run and the states that it passes through; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import RunId
from core.kernel.jsons import Json
from core.kernel.lanes import Lane

MANUAL = "manual"
"""The kind of runs without steps, which only workers from outside take."""


class RunStatus(StrEnum):
    """Where a run stands; the last four are final."""

    SCHEDULED = "scheduled"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    RETRY_WAIT = "retry_wait"
    CLAIMED = "claimed"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"


TERMINAL = frozenset(
    {
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.TIMED_OUT,
        RunStatus.CANCELLED,
    }
)
ACTIVE = frozenset(RunStatus) - TERMINAL
WAITING = frozenset(
    {
        RunStatus.SCHEDULED,
        RunStatus.AWAITING_APPROVAL,
        RunStatus.QUEUED,
        RunStatus.RETRY_WAIT,
    }
)
HELD = frozenset({RunStatus.CLAIMED, RunStatus.RUNNING})
"""What a worker always holds; paused and cancelling ones may be held as well."""


class Backoff(StrEnum):
    """How the pause before another attempt grows."""

    NONE = "none"
    FIXED = "fixed"
    LINEAR = "linear"
    EXPONENTIAL = "exponential"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """When a failed run is tried again.

    Shape:  a failure whose code is one of `never` is final; the code of a step's
            failure is what its executor says, `lost` that of a worker that died,
            `worker_stopped` that of a step cut short by a worker that stops.
    Units:  the pause is drawn evenly between nothing and what `backoff` allows (full
            jitter), which is at most `longest`.
    """

    max_attempts: int = 3
    backoff: Backoff = Backoff.EXPONENTIAL
    base: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=5)
    never: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that a run does: an executor and what it is given.

    Shape:  `uses` names the executor (`shell`, `docs/format`). `given` is its input,
            with all parameters put in. `needs` names the steps that come before.
            `secrets` maps names in the environment to names of stored secrets.
            `artifacts` are patterns of files in the working directory that are kept,
            whatever becomes of the step.
    """

    name: str
    uses: str
    given: Mapping[str, Json] = field(default_factory=dict)
    needs: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    artifacts: Sequence[str] = ()
    timeout: timedelta = timedelta(minutes=10)
    tries: int = 1
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunError:
    """Why a run failed: a code for machines, a sentence for people, the step if any."""

    code: str
    detail: str
    step: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is."""

    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where whoever asked is told of the progress and the end; no channel means nowhere.

    Shape:  `place` is where on the channel, in its own words.
    """

    channel: str = ""
    account: str = ""
    place: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What somebody wants run; who that is comes with the transaction.

    Shape:  fields as in `Run`. The same `idempotency_key` of the same person gives the
            run that there is already. With `needs_approval` it waits for that first.
    Units:  `deadline` and `ttl` count from now; a run starts at `starts_at`, if given.
    """

    kind: str = "template"
    alias: str = ""
    template: str = ""
    template_version: int = 0
    job: str = ""
    task: str = ""
    parent: str = ""
    lane: Lane = Lane.C
    priority: int = 0
    input: Mapping[str, Json] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    retry: RetryRule = field(default_factory=RetryRule)
    starts_at: datetime | None = None
    deadline: timedelta | None = None
    ttl: timedelta | None = None
    concurrency_key: str = ""
    concurrency_limit: int = 1
    labels: frozenset[str] = frozenset()
    idempotency_key: str = ""
    budget: str = ""
    reply_to: ReplyTo = field(default_factory=ReplyTo)
    needs_approval: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution by a worker.

    Shape:  `fence` grows with every claim of the run: a call of a worker that carries
            another one is refused. `reason` says why the run stands where it stands
            ("lost", "worker says stop"). `attempt` counts claims, from 0.
            `concurrency_key` is shared by runs of which at most `concurrency_limit`
            are held at a time; "" limits nothing. A worker needs every label in
            `labels`. `budget` names what pays for it, "" for nothing.
    Units:  `ttl_at` is when a run that nobody claimed ends, `deadline_at` when one
            ends that was not finished; a paused run keeps both.
    """

    id: RunId
    kind: str
    alias: str = ""
    template: str = ""
    template_version: int = 0
    job: str = ""
    task: str = ""
    parent: str = ""
    lane: Lane = Lane.C
    priority: int = 0
    status: RunStatus
    reason: str = ""
    input: Mapping[str, Json] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    result: Mapping[str, Json] = field(default_factory=dict)
    error: RunError | None = None
    attempt: int = 0
    retry: RetryRule = field(default_factory=RetryRule)
    available_at: datetime
    deadline_at: datetime | None = None
    ttl_at: datetime | None = None
    concurrency_key: str = ""
    concurrency_limit: int = 1
    labels: frozenset[str] = frozenset()
    worker: str = ""
    fence: int = 0
    lease_expires_at: datetime | None = None
    heartbeat_at: datetime | None = None
    cancel_requested_at: datetime | None = None
    paused_at: datetime | None = None
    idempotency_key: str = ""
    budget: str = ""
    actor_id: str
    actor: str
    reply_to: ReplyTo = field(default_factory=ReplyTo)
    needs_approval: bool = False
    progress: Progress = field(default_factory=Progress)
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    version: int = 1

    @property
    def is_terminal(self) -> bool:
        """Whether nothing will become of it any more."""
        return self.status in TERMINAL

    @property
    def is_held(self) -> bool:
        """Whether a worker has it now; nobody else may write about its work."""
        return self.lease_expires_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs to list; empty values do not restrict.

    Shape:  `is_dead` are those that were given up: failed and timed_out ones.
            `actor` is a person's id or name.
    Units:  `since` and `until` enclose the moment of their creation.
    """

    statuses: frozenset[RunStatus] = frozenset()
    lane: Lane | None = None
    kind: str = ""
    template: str = ""
    worker: str = ""
    actor: str = ""
    label: str = ""
    job: str = ""
    task: str = ""
    parent: str = ""
    reason: str = ""
    is_dead: bool = False
    since: datetime | None = None
    until: datetime | None = None
