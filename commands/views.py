"""The shapes of `data`, as the API documents them."""

from typing import NotRequired

from pydantic import JsonValue
from typing_extensions import TypedDict


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


class TaskEnsuredData(TaskData):
    """The task with a key; `happened` is created, reopened, there or over."""

    happened: str


class TaskWithdrawnData(TypedDict):
    """What became of the task with a key; `id` and `status` are "" if there is none."""

    id: str
    external_key: str
    status: str
    changed: bool


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
    details: dict[str, JsonValue]


class EventPageData(TypedDict):
    """Events in their order; `next` is the cursor of what follows."""

    items: list[EventData]
    next: str | None


class EventAddedData(TypedDict):
    """An event that was appended."""

    ok: bool
    event: str
    target: str


class HumanLogData(TypedDict):
    """Events told in Markdown."""

    markdown: str
    count: int
    last_seq: int


class StateData(TypedDict):
    """A whole collection: `data` for tasks, locks and agents, `text` for events and log."""

    kind: str
    etag: str
    data: NotRequired[dict[str, JsonValue]]
    text: NotRequired[str]


class AuditData(TypedDict):
    """One audit entry."""

    seq: int
    ts: str
    actor: str
    channel: str
    account: str
    action: str
    target: str
    verdict: str
    approval_status: str
    reason: str
    command: str
    request_id: str
    count: int
    hash: str


class AuditPageData(TypedDict):
    """A page of audit entries, the newest first."""

    items: list[AuditData]
    next: str | None


class VerificationData(TypedDict):
    """What a walk along the audit chain found."""

    ok: bool
    intact: bool
    checked: int
    broken_at: int
    fault: str
    head: dict[str, JsonValue]


class UserData(TypedDict):
    """A person."""

    id: str
    name: str
    email: str
    roles: list[str]
    scopes: list[str]
    timezone: str
    is_active: bool
    created_at: str


class UserPageData(TypedDict):
    """A page of people."""

    items: list[UserData]
    next: str | None


class TenantData(TypedDict):
    """A tenant."""

    id: str
    name: str
    created_at: str


class TenantPageData(TypedDict):
    """The tenants that the caller may see."""

    items: list[TenantData]
    next: str | None


class KeyData(TypedDict):
    """An API key without its text."""

    id: str
    name: str
    prefix: str
    user: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    revoked_at: str | None


class NewKeyData(KeyData):
    """An API key with the only copy of its text."""

    key: str


class KeyPageData(TypedDict):
    """A page of API keys."""

    items: list[KeyData]
    next: str | None
