"""The shapes of `data`, as the API documents them."""

from typing import NotRequired

from typing_extensions import TypedDict

from core.kernel.jsons import Json


class DodItemData(TypedDict):
    """One line of a definition of done."""

    text: str
    is_done: bool


class NoteData(TypedDict):
    """A remark on a task."""

    at: str
    by: str
    text: str


class TaskData(TypedDict):
    """A task with its ETag; times are ISO 8601 in UTC."""

    id: str
    external_key: str
    title: str
    body: str
    status: str
    reason: str
    blocked_from: str
    assignee: str
    implementer: str
    priority: int
    lane: str
    labels: list[str]
    needs: list[str]
    dod: list[DodItemData]
    notes: list[NoteData]
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    version: int
    etag: str


class TaskPageData(TypedDict):
    """A page of tasks, the newest first."""

    items: list[TaskData]
    next: str | None


class LeaseData(TypedDict):
    """A lease; its `fence` goes with every later call of its holder."""

    lock_id: str
    resource: str
    holder: str
    acquired_at: str
    ttl_seconds: int
    heartbeat_at: str
    fence: int


class LeaseShownData(LeaseData):
    """A lease as it stands now."""

    id: str
    expires_at: str
    is_stale: bool


class LeasePageData(TypedDict):
    """A page of leases, the oldest first."""

    items: list[LeaseShownData]
    next: str | None


class TaskDetailData(TaskData):
    """A task with the lease somebody holds on it."""

    lease: LeaseData | None


class TaskChangedData(TaskData):
    """A task after a change."""

    ok: bool


class TaskMovedData(TaskData):
    """A task after a move."""

    old_status: str
    new_status: str


class TaskClaimedData(TaskData):
    """A task that was claimed, and the lease that came with it."""

    lock_id: str
    fence: int
    lease: LeaseData


class LeaseEndedData(TypedDict):
    """How a lease ended, and the task that went back to the queue."""

    ok: bool
    lock_id: str
    resource: str
    holder: str
    task: str | None
    task_status: NotRequired[str]


class LeasesReclaimedData(TypedDict):
    """The leases that a reclaim of all stale ones ended."""

    ok: bool
    reclaimed: int
    items: list[LeaseEndedData]


class AgentData(TypedDict):
    """An agent."""

    id: str
    name: str
    role: str
    skills: list[str]
    status: str
    is_available: bool
    last_seen: str
    registered_at: str


class AgentPageData(TypedDict):
    """All agents by name."""

    items: list[AgentData]
    next: str | None


class EventData(TypedDict):
    """One event of the past."""

    seq: int
    ts: str
    event: str
    actor: str
    channel: str
    target: str
    details: dict[str, Json]
