"""Audit entries: drafted in a unit, chained at the flush, verified later."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from core.kernel.jsons import canonical_json


class Verdict(StrEnum):
    """How a decision ended."""

    ALLOWED = "allowed"
    DENIED = "denied"
    INVALID = "invalid"
    FAILED = "failed"
    PROPOSED = "proposed"


class ApprovalStatus(StrEnum):
    """Whether somebody else had to agree, and did."""

    NONE = ""
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


@dataclass(slots=True, kw_only=True)
class AuditDraft:
    """One decision, before its batch numbers and chains it.

    `command` is the canonical line with secrets masked; `count` is above 1 when a
    flood of equal refusals was folded into one entry.
    """

    action: str
    actor: str
    channel: str
    verdict: Verdict
    account: str = ""
    target: str = ""
    approval_status: ApprovalStatus = ApprovalStatus.NONE
    reason: str = ""
    command: str = ""
    request_id: str = ""
    before_digest: str = ""
    after_digest: str = ""
    count: int = 1


CHAINED = (
    "tenant_id",
    "seq",
    "created_at",
    "actor",
    "channel",
    "account",
    "action",
    "target",
    "verdict",
    "approval_status",
    "reason",
    "command",
    "request_id",
    "before_digest",
    "after_digest",
    "count",
)


def chain(prev_hash: str, entry: dict[str, object]) -> str:
    """Hash an entry onto its predecessor: sha256(prev_hash + canonical values)."""
    body = canonical_json([entry[name] for name in CHAINED])
    return sha256(prev_hash.encode() + body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry as it is read back."""

    seq: int
    at: datetime
    actor: str
    channel: str
    account: str
    action: str
    target: str
    verdict: Verdict
    approval_status: ApprovalStatus
    reason: str
    command: str
    request_id: str
    before_digest: str
    after_digest: str
    count: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries to list; empty values do not restrict."""

    actor: str = ""
    channel: str = ""
    action: str = ""
    target: str = ""
    verdict: Verdict | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHead:
    """The end of the chain, which a signature outside makes proof against cutting it."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a walk along the chain found; `broken_at` is the first bad entry, 0 if none."""

    checked: int
    head: AuditHead
    broken_at: int = 0
    fault: str = ""

    @property
    def is_intact(self) -> bool:
        """Whether every entry follows from the one before, up to the head."""
        return not self.broken_at
