"""Queries over the audit table."""

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import bindparam, select

from core.audit.model import (
    CHAINED,
    ApprovalStatus,
    AuditEntry,
    AuditFilter,
    AuditHead,
    Verdict,
)
from core.audit.tables import audit_events
from core.database import Prepared, Row, Tx
from core.database.head import heads
from core.kernel.clock import from_micros, to_micros

_NAMES = (*CHAINED, "prev_hash", "hash")
_CHAIN = Prepared(
    select(*(audit_events.c[name] for name in _NAMES))
    .where(
        audit_events.c.tenant_id == bindparam("tenant"),
        audit_events.c.seq > bindparam("after"),
    )
    .order_by(audit_events.c.seq)
    .limit(bindparam("limit"))
)
_HEAD = Prepared(
    select(heads.c.audit_seq, heads.c.audit_hash).where(
        heads.c.tenant_id == bindparam("tenant")
    )
)
_OF_REQUEST = Prepared(
    select(*(audit_events.c[name] for name in _NAMES))
    .where(
        audit_events.c.tenant_id == bindparam("tenant"),
        audit_events.c.seq > bindparam("after"),
        audit_events.c.request_id == bindparam("of"),
    )
    .order_by(audit_events.c.seq)
)
_PAGE_ROWS = 1000


def get_head(tx: Tx) -> AuditHead:
    """Read where the chain ends according to the tenant's head row."""
    rows = tx.run(_HEAD)
    return (
        AuditHead(seq=rows[0][0], hash=rows[0][1])
        if rows
        else AuditHead(seq=0, hash="")
    )


def walk(tx: Tx) -> Iterator[Mapping[str, object]]:
    """Yield all entries in order, as rows by column name."""
    after = 0
    while rows := tx.run(_CHAIN, after=after, limit=_PAGE_ROWS):
        for row in rows:
            yield dict(zip(_NAMES, row, strict=True))
        after = int(rows[-1][_NAMES.index("seq")])


def list_before(
    tx: Tx, seq: int | None, wanted: AuditFilter, *, limit: int
) -> Sequence[AuditEntry]:
    """List entries below `seq` (None: all), the newest first."""
    table = audit_events.c
    query = select(*(table[name] for name in _NAMES)).where(
        table.tenant_id == tx.tenant
    )
    if seq is not None:
        query = query.where(table.seq < seq)
    for name in ("actor", "channel", "action", "target"):
        if value := getattr(wanted, name):
            query = query.where(table[name] == value)
    if wanted.verdict is not None:
        query = query.where(table.verdict == wanted.verdict.value)
    if wanted.since is not None:
        query = query.where(table.created_at >= to_micros(wanted.since))
    if wanted.until is not None:
        query = query.where(table.created_at <= to_micros(wanted.until))
    found = tx.execute(query.order_by(table.seq.desc()).limit(limit))
    return [_to_entry(tuple(row)) for row in found]


def list_of_request(tx: Tx, request_id: str, *, after: int) -> Sequence[AuditEntry]:
    """List what was decided about one request, among the entries after a number."""
    return [_to_entry(row) for row in tx.run(_OF_REQUEST, of=request_id, after=after)]


def _to_entry(row: Row) -> AuditEntry:
    named = dict(zip(_NAMES, row, strict=True))
    return AuditEntry(
        seq=named["seq"],
        at=from_micros(named["created_at"]),
        verdict=Verdict(named["verdict"]),
        approval_status=ApprovalStatus(named["approval_status"]),
        **{
            name: named[name]
            for name in (
                "actor",
                "channel",
                "account",
                "action",
                "target",
                "reason",
                "command",
                "request_id",
                "before_digest",
                "after_digest",
                "count",
                "hash",
            )
        },
    )
