"""A request for approval, what it may become, and who may decide it; pure.

waiting -> approved -> ran
   |          +------> void        the target changed before it ran
   +-> rejected, withdrawn, expired, void
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from core.approvals.problems import ApprovalVoid, NoApprover
from core.approvals.rules.model import Demand
from core.kernel.jsons import Json
from core.kernel.principal import Assurance, Role
from core.kernel.problems import Conflict

LIFETIME = timedelta(hours=24)
CHANNEL = "approval"


class RequestStatus(StrEnum):
    """How far a request has come."""

    WAITING = "waiting"
    APPROVED = "approved"
    RAN = "ran"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"


class Decision(StrEnum):
    """What one person said to a request."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Where a command was asked for, and with which rights.

    Shape:  `reply_to` is where its answer goes, in the channel's own words; empty when
            the door itself answered.
    """

    channel: str
    account: str = ""
    sender: str = ""
    conversation: str = ""
    timezone: str = "UTC"
    assurance: Assurance = Assurance.UNVERIFIED
    scopes: frozenset[str] = frozenset()
    reply_to: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What one person decided, when and where."""

    person_id: str
    person: str
    decision: Decision
    channel: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDraft:
    """A command that somebody asked for and may not run alone.

    Shape:  `line` is all of the command that can be said; `digest` binds it to the
            state of its target.
    """

    command: str
    line: str
    target: str
    digest: str
    demand: Demand
    asked: Asked
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(RequestDraft):
    """One command that waits for other people.

    Shape:  `requester_id` is a person, whichever account or key was used. `request_id`
            is that of the run, "" until there is one.
    """

    id: str
    requester_id: str
    requester: str
    status: RequestStatus
    created_at: datetime
    expires_at: datetime
    request_id: str = ""
    votes: Sequence[Vote] = ()

    @property
    def approvals(self) -> Sequence[Vote]:
        """The votes for it."""
        return [each for each in self.votes if each.decision is Decision.APPROVE]

    def has_voted(self, person_id: str) -> bool:
        """Tell whether a person has decided already."""
        return any(each.person_id == person_id for each in self.votes)


def status_at(request: Request, now: datetime) -> RequestStatus:
    """Tell how a request stands; what has expired is so before anybody notes it."""
    is_late = request.status is RequestStatus.WAITING and request.expires_at <= now
    return RequestStatus.EXPIRED if is_late else request.status


def require_waiting(request: Request) -> None:
    """Let through a request that can still be decided.

    Raises: Conflict saying what became of it.
    """
    if request.status is not RequestStatus.WAITING:
        raise Conflict(
            f"{request.id} is {request.status.value} and cannot be decided any more",
            fix=[f"approval show {request.id}"],
            status=request.status.value,
        )


def void(request: Request) -> ApprovalVoid:
    """Say that a request is bound to a state that is gone."""
    about = request.target or "what it is about"
    return ApprovalVoid(
        f"{request.id} is void: {about} has changed since {request.requester} asked",
        fix=[request.line],
        approval=request.id,
    )


def lacks_role(request: Request, role: Role) -> NoApprover:
    """Say which role it takes."""
    return NoApprover(
        f"{request.id} waits for people who are {role.value}",
        fix=[f"ask one who is {role.value}", "whoami"],
        role=role.value,
    )
