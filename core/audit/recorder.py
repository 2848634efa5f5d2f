"""Chains the audit entries of a batch from the tenant's locked head."""

from collections.abc import Mapping, Sequence

from core.audit.model import AuditDraft, chain
from core.audit.tables import audit_events
from core.database import Head
from core.kernel.clock import Micros


class AuditRecorder:
    """Writes audit entries, each bound to the one before by its hash."""

    draft = AuditDraft
    table = audit_events
    merges = ()

    def rows(
        self, head: Head, drafts: Sequence[AuditDraft], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        """Number and chain the drafts of one tenant."""
        return [self._row(head, draft, now) for draft in drafts]

    def _row(self, head: Head, draft: AuditDraft, now: Micros) -> Mapping[str, object]:
        head.audit_seq += 1
        row: dict[str, object] = {
            "tenant_id": head.tenant,
            "seq": head.audit_seq,
            "created_at": now,
            "actor": draft.actor,
            "channel": draft.channel,
            "account": draft.account,
            "action": draft.action,
            "target": draft.target,
            "verdict": draft.verdict.value,
            "approval_status": draft.approval_status.value,
            "reason": draft.reason,
            "command": draft.command,
            "request_id": draft.request_id,
            "before_digest": draft.before_digest,
            "after_digest": draft.after_digest,
            "count": draft.count,
            "prev_hash": head.audit_hash,
        }
        head.audit_hash = chain(head.audit_hash, row)
        row["hash"] = head.audit_hash
        return row
