"""The shapes of what run, worker and lane commands answer."""

from typing import Any

from typing_extensions import TypedDict


class RunProgressData(TypedDict):
    """How far a run is; both 0 until it says so."""

    done: int
    total: int
    note: str


class RunErrorData(TypedDict):
    """Why a run failed: a code for machines, a sentence, and the step if any."""

    code: str
    detail: str
    step: str


class RunData(TypedDict):
    """A run; `state` says for people how it stands. Times in ISO 8601."""

    id: str
    kind: str
    name: str
    alias: str
    template: str
    template_version: int
    job: str
    task: str
    parent: str
    lane: str
    priority: int
    status: str
    state: str
    reason: str
    input: dict[str, Any]
    result: dict[str, Any]
    error: RunErrorData | None
    attempt: int
    max_attempts: int
    retry: dict[str, Any]
    available_at: str
    deadline_at: str | None
    ttl_at: str | None
    concurrency_key: str
    concurrency_limit: int
    labels: list[str]
    worker: str
    fence: int
    lease_expires_at: str | None
    heartbeat_at: str | None
    cancel_requested_at: str | None
    paused_at: str | None
    budget: str
    actor: str
    progress: RunProgressData
    created_at: str
    started_at: str | None
    finished_at: str | None
    version: int


class RunPageData(TypedDict):
    """A page of runs, the newest first."""

    items: list[RunData]
    next: str | None


class RunStepData(TypedDict):
    """A step of one attempt of a run."""

    attempt: int
    name: str
    position: int
    uses: str
    status: str
    exit_code: int | None
    detail: str
    started_at: str | None
    finished_at: str | None


class RunStepPageData(TypedDict):
    """The steps of a run, all attempts, as they began."""

    id: str
    items: list[RunStepData]
    next: str | None


class RunDetailData(RunData):
    """A run with its steps and with what it left behind."""

    steps: list[RunStepData]
    artifacts: list[dict[str, Any]]


class RunExplainedData(TypedDict):
    """Why a run stands where it stands: a code, a sentence, and what mends it."""

    id: str
    status: str
    state: str
    code: str
    text: str
    fix: list[str]


class RunChangeData(TypedDict):
    """What became of one run of several; `made` is the run that a retry has made."""

    id: str
    ok: bool
    status: str
    made: str
    code: str
    detail: str


class RunBulkData(TypedDict):
    """What became of several runs; `matched` counts those that were meant."""

    action: str
    matched: int
    done: int
    failed: int
    items: list[RunChangeData]
    next: str | None


class BeatData(TypedDict):
    """What a worker shall do with a run, and until when it is the worker's."""

    cancel: bool
    pause: bool
    lease_expires_at: str


class ClaimedRunData(TypedDict):
    """A run as the worker gets it; every call about it carries id and fence."""

    id: str
    fence: int
    attempt: int
    lane: str
    kind: str
    name: str
    task: str
    input: dict[str, Any]
    steps: list[dict[str, Any]]
    lease_expires_at: str
    deadline_at: str | None


class ClaimedData(TypedDict):
    """The runs that a worker was given; none when there is nothing to do."""

    runs: list[ClaimedRunData]


class RunReportedData(TypedDict):
    """How much of what a worker told was noted."""

    ok: bool
    count: int


class WorkerData(TypedDict):
    """A worker: online, draining or lost; `holds` are ids of runs."""

    id: str
    name: str
    host: str
    state: str
    lanes: list[str]
    labels: list[str]
    heartbeat_at: str
    created_at: str
    holds: list[str]


class WorkerPageData(TypedDict):
    """A page of workers, by name."""

    items: list[WorkerData]
    next: str | None


class LaneData(TypedDict):
    """A lane: how many runs at a time, its weight, and what stands in it."""

    id: str
    lane: str
    state: str
    weight: int
    concurrency: int
    is_draining: bool
    queued: int
    held: int
    waiting: int


class LanePageData(TypedDict):
    """The four lanes."""

    items: list[LaneData]
    next: str | None
