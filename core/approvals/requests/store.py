"""Queries over requests for approval and the votes on them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import bindparam

from core.approvals.requests.model import (
    Asked,
    Decision,
    Request,
    RequestStatus,
    Vote,
)
from core.approvals.requests.tables import approval_requests, approval_votes
from core.approvals.rules.model import Demand
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import number_of
from core.kernel.jsons import canonical_json
from core.kernel.principal import Assurance, Role

_TABLE = approval_requests.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_NAMES = (
    "id",
    "requester_id",
    "requester",
    "command",
    "line",
    "target",
    "digest",
    "need",
    "role",
    "reason",
    "asked",
    "status",
    "request_id",
    "created_at",
    "expires_at",
)
_ALL = approval_requests.select().with_only_columns(*(_TABLE[name] for name in _NAMES))
_FIND = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_SAME = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.status == RequestStatus.WAITING.value,
        _TABLE.expires_at > bindparam("now"),
        _TABLE.requester_id == bindparam("who"),
        _TABLE.digest == bindparam("bound_to"),
    ).limit(1)
)
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.number < bindparam("below"))
    .order_by(_TABLE.number.desc())
    .limit(bindparam("most"))
)
_PAGE_OF_STATUS = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.number < bindparam("below"),
        _TABLE.status == bindparam("wanted"),
    )
    .order_by(_TABLE.number.desc())
    .limit(bindparam("most"))
)
_OPEN = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.status == RequestStatus.WAITING.value,
        _TABLE.expires_at > bindparam("now"),
    )
    .order_by(_TABLE.expires_at)
    .limit(bindparam("most"))
)
_LATE = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.status == RequestStatus.WAITING.value,
        _TABLE.expires_at <= bindparam("now"),
    )
    .order_by(_TABLE.expires_at)
    .limit(bindparam("most"))
)
_MOVE = Prepared(
    approval_requests.update()
    .where(_OWN, _TABLE.id == bindparam("of"), _TABLE.status == bindparam("was"))
    .values(
        status=bindparam("becomes"),
        request_id=bindparam("run_id"),
        version=_TABLE.version + 1,
    )
)
_VOTES = Prepared(
    approval_votes.select()
    .with_only_columns(
        approval_votes.c.person_id,
        approval_votes.c.person,
        approval_votes.c.decision,
        approval_votes.c.channel,
        approval_votes.c.reason,
        approval_votes.c.created_at,
    )
    .where(
        approval_votes.c.tenant_id == bindparam("tenant"),
        approval_votes.c.approval_id == bindparam("of"),
    )
    .order_by(approval_votes.c.created_at, approval_votes.c.person_id)
)

_TOP = 2**62


def add(tx: Tx, request: Request) -> None:
    """Store a new request."""
    tx.insert(
        approval_requests,
        {
            "id": request.id,
            "number": number_of(request.id, "AP"),
            "requester_id": request.requester_id,
            "requester": request.requester,
            "command": request.command,
            "line": request.line,
            "target": request.target,
            "digest": request.digest,
            "need": request.demand.need,
            "role": request.demand.role.value,
            "reason": request.reason,
            "asked": _asked_json(request.asked),
            "status": request.status.value,
            "request_id": request.request_id,
            "expires_at": to_micros(request.expires_at),
        },
    )


def find(tx: Tx, request_id: str) -> Request | None:
    """Find a request with its votes."""
    rows = tx.run(_FIND, of=request_id)
    return _to_request(tx, rows[0]) if rows else None


def find_same(tx: Tx, requester_id: str, digest: str) -> Request | None:
    """Find what one person waits for already, bound to the same command and state."""
    rows = tx.run(_SAME, who=requester_id, bound_to=digest, now=tx.micros)
    return _to_request(tx, rows[0]) if rows else None


def list_before(
    tx: Tx, number: int | None, status: RequestStatus | None, *, most: int
) -> Sequence[Request]:
    """List requests below a number, the newest first, of one status or of all."""
    below = _TOP if number is None else number
    if status is None:
        rows = tx.run(_PAGE, below=below, most=most)
    else:
        rows = tx.run(_PAGE_OF_STATUS, below=below, most=most, wanted=status.value)
    return [_to_request(tx, row) for row in rows]


def list_open(tx: Tx, *, most: int) -> Sequence[Request]:
    """List what waits, the first to expire first."""
    return [_to_request(tx, row) for row in tx.run(_OPEN, now=tx.micros, most=most)]


def list_late(tx: Tx, *, most: int) -> Sequence[Request]:
    """List what waited in vain."""
    return [_to_request(tx, row) for row in tx.run(_LATE, now=tx.micros, most=most)]


def move(tx: Tx, request: Request, to: RequestStatus, *, request_id: str = "") -> bool:
    """Give a request its next status; guaranteed to be True for one caller only."""
    return (
        tx.change(
            _MOVE,
            of=request.id,
            was=request.status.value,
            becomes=to.value,
            run_id=request_id or request.request_id,
        )
        == 1
    )


def add_vote(tx: Tx, request_id: str, vote: Vote) -> None:
    """Store what a person decided."""
    tx.insert(
        approval_votes,
        {
            "approval_id": request_id,
            "person_id": vote.person_id,
            "person": vote.person,
            "decision": vote.decision.value,
            "channel": vote.channel,
            "reason": vote.reason,
        },
    )


def _to_request(tx: Tx, row: Row) -> Request:
    named = dict(zip(_NAMES, row, strict=True))
    return Request(
        demand=Demand(need=named.pop("need"), role=Role(named.pop("role"))),
        asked=_asked_of(orjson.loads(named.pop("asked"))),
        status=RequestStatus(named.pop("status")),
        created_at=from_micros(named.pop("created_at")),
        expires_at=from_micros(named.pop("expires_at")),
        votes=[_to_vote(each) for each in tx.run(_VOTES, of=named["id"])],
        **named,
    )


def _to_vote(row: Row) -> Vote:
    person_id, person, decision, channel, reason, at = row
    return Vote(
        person_id=person_id,
        person=person,
        decision=Decision(decision),
        channel=channel,
        reason=reason,
        at=from_micros(at),
    )


def _asked_json(asked: Asked) -> str:
    written = {**asdict(asked), "scopes": sorted(asked.scopes)}
    return canonical_json(written).decode()


def _asked_of(raw: Mapping[str, Any]) -> Asked:
    return Asked(
        **{
            **raw,
            "assurance": Assurance(raw["assurance"]),
            "scopes": frozenset(raw["scopes"]),
        }
    )
