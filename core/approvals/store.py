"""Queries over proposals."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam

from core.approvals.model import Proposal
from core.approvals.tables import proposals
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros

_COLUMNS = (
    proposals.c.id,
    proposals.c.principal,
    proposals.c.channel,
    proposals.c.conversation,
    proposals.c.command,
    proposals.c.target,
    proposals.c.digest,
    proposals.c.expires_at,
    proposals.c.consumed_at,
)
_FIND = Prepared(
    proposals.select()
    .with_only_columns(*_COLUMNS)
    .where(
        proposals.c.tenant_id == bindparam("tenant"), proposals.c.id == bindparam("id")
    )
)
_OPEN = Prepared(
    proposals.select()
    .with_only_columns(*_COLUMNS)
    .where(
        proposals.c.tenant_id == bindparam("tenant"),
        proposals.c.principal == bindparam("principal"),
        proposals.c.consumed_at == 0,
        proposals.c.expires_at > bindparam("now"),
    )
    .order_by(proposals.c.created_at)
)
_CONSUME = Prepared(
    proposals.update()
    .where(
        proposals.c.tenant_id == bindparam("tenant"),
        proposals.c.id == bindparam("of"),
        proposals.c.consumed_at == 0,
    )
    .values(consumed_at=bindparam("now"))
)
_IS_LATE = (
    proposals.c.tenant_id == bindparam("tenant"),
    proposals.c.expires_at <= bindparam("until"),
)
_LATE = Prepared(
    proposals.select().with_only_columns(proposals.c.id).where(*_IS_LATE).limit(1)
)
_PURGE = Prepared(proposals.delete().where(*_IS_LATE))


def add(tx: Tx, proposal: Proposal) -> None:
    """Store a new proposal."""
    tx.insert(
        proposals,
        {
            "id": proposal.id,
            "principal": proposal.principal,
            "channel": proposal.channel,
            "conversation": proposal.conversation,
            "command": proposal.command,
            "target": proposal.target,
            "digest": proposal.digest,
            "expires_at": to_micros(proposal.expires_at),
            "consumed_at": 0,
        },
    )


def find(tx: Tx, proposal_id: str) -> Proposal | None:
    """Find a proposal by its id."""
    rows = tx.run(_FIND, id=proposal_id)
    return _to_proposal(rows[0]) if rows else None


def list_open(tx: Tx, principal: str) -> Sequence[Proposal]:
    """List what a principal may still confirm, oldest first."""
    return [
        _to_proposal(row) for row in tx.run(_OPEN, principal=principal, now=tx.micros)
    ]


def consume(tx: Tx, proposal_id: str) -> bool:
    """Use a proposal up; guaranteed to be True for one caller only."""
    return tx.change(_CONSUME, of=proposal_id, now=tx.micros) == 1


def has_before(tx: Tx, moment: datetime) -> bool:
    """Tell whether a proposal expired before a moment."""
    return bool(tx.run(_LATE, until=to_micros(moment)))


def delete_before(tx: Tx, moment: datetime) -> None:
    """Delete the proposals that expired before a moment."""
    tx.change(_PURGE, until=to_micros(moment))


def _to_proposal(row: Row) -> Proposal:
    return Proposal(
        id=row[0],
        principal=row[1],
        channel=row[2],
        conversation=row[3],
        command=row[4],
        target=row[5],
        digest=row[6],
        expires_at=from_micros(row[7]),
        is_consumed=row[8] != 0,
    )
