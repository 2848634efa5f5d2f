"""Ask for approvals, give and refuse them, and start what was approved: once.

Who decides is a person of this tenant, looked up anew: whichever account, key or
channel they use, they are one. What no longer can be decided is noted and returned as
a Problem rather than raised, so that the note is kept.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

from core.approvals.problems import NoApprover, SelfApproval
from core.approvals.requests import store
from core.approvals.requests.model import (
    CHANNEL,
    LIFETIME,
    Decision,
    Request,
    RequestDraft,
    RequestStatus,
    Vote,
    lacks_role,
    require_waiting,
    status_at,
    void,
)
from core.approvals.rules.model import has_rank
from core.database import Tx
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.events.service import append
from core.identity.keys import store as keys
from core.identity.users import store as users
from core.identity.users.model import User
from core.kernel.clock import to_iso
from core.kernel.ids import number_of
from core.kernel.jsons import canonical_json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import (
    Conflict,
    Forbidden,
    NotFound,
    Problem,
)
from core.kernel.texts import require_text

_REASON_LIMIT = 2_000
_MOST_OPEN = 200
_SHOWN = 500


def ask(tx: Tx, draft: RequestDraft) -> Request:
    """Have a command of the caller's wait for other people, a day at most.

    Shape:  asking again for the same, in the same state, gives the same request.
    Raises: Forbidden when the caller is nobody who could be asked for anew later.
    """
    me = tx.principal
    if users.find(tx, me.id) is None:
        raise Forbidden(f"{me.name} is no person here", fix=["whoami"])
    known = store.find_same(tx, me.id, draft.digest)
    if known is not None:
        return known
    require_text("reason", draft.reason, limit=_REASON_LIMIT)
    request = Request(
        id=tx.new_id("AP"),
        requester_id=me.id,
        requester=me.name,
        status=RequestStatus.WAITING,
        created_at=tx.now,
        expires_at=tx.now + LIFETIME,
        **{each.name: getattr(draft, each.name) for each in fields(RequestDraft)},
    )
    store.add(tx, request)
    append(
        tx,
        "approval_requested",
        target=request.id,
        line=request.line[:_SHOWN],
        requester=me.name,
        need=request.demand.need,
        role=request.demand.role.value,
        expires_at=to_iso(request.expires_at),
    )
    return request


def get_(tx: Tx, request_id: str) -> Request:
    """Get a request with its votes, as it stands now.

    Raises: NotFound.
    """
    found = store.find(tx, request_id)
    if found is None:
        raise NotFound(request_id[:40], fix=["approval list"])
    return replace(found, status=status_at(found, tx.now))


def list_(
    tx: Tx,
    status: RequestStatus | None = None,
    *,
    limit: int = PAGE_LIMIT,
    cursor: str = "",
) -> Page[Request]:
    """List requests, the newest first.

    Raises: InvalidQuery.
    """
    below = parse_cursor(cursor) if cursor else None
    found = store.list_before(tx, below, status, most=page_size(limit) + 1)
    items = [replace(each, status=status_at(each, tx.now)) for each in found[:limit]]
    last = number_of(items[-1].id, "AP") if len(found) > limit else None
    return Page(items, render_cursor(last) if last else None)


def list_decidable(tx: Tx) -> Sequence[Request]:
    """List what waits for the caller: others' requests, not decided by them yet."""
    person = users.find(tx, tx.principal.id)
    if person is None:
        return ()
    return [
        each
        for each in store.list_open(tx, most=_MOST_OPEN)
        if _obstacle(each, person) is None and not each.has_voted(person.id)
    ]


def approve(
    tx: Tx, request_id: str, *, digest: str, reason: str = ""
) -> Request | Problem:
    """Give the caller's approval; the last one that was needed starts the command.

    Shape:  `digest` is that of the command and its target now.
    Raises: NotFound, Conflict when it cannot be decided or was by the caller; Forbidden
            when the caller asked for it themselves or lacks the role.
    """
    request, person = _decidable(tx, request_id)
    if request.digest != digest:
        _end(tx, request, RequestStatus.VOID, "approval_voided")
        return void(request)
    _vote(tx, request, person, Decision.APPROVE, reason=reason)
    request = get_(tx, request_id)
    given = len(_standing(tx, request))
    append(
        tx,
        "approval_given",
        target=request.id,
        by=person.name,
        given=given,
        need=request.demand.need,
    )
    return _start(tx, request) if given >= request.demand.need else request


def reject(tx: Tx, request_id: str, *, reason: str = "") -> Request:
    """Refuse a request for everybody.

    Raises: as `approve`.
    """
    request, person = _decidable(tx, request_id)
    _vote(tx, request, person, Decision.REJECT, reason=reason)
    _end(tx, request, RequestStatus.REJECTED, "approval_rejected", reason=reason)
    return get_(tx, request_id)


def withdraw(tx: Tx, request_id: str) -> Request:
    """Take the caller's own request back.

    Raises: NotFound, Forbidden when it is somebody else's, Conflict when it is over.
    """
    request = get_(tx, request_id)
    if request.requester_id != tx.principal.id:
        raise NoApprover(
            f"{request.requester} asked for {request.id}, not you",
            fix=[f"approval reject {request.id}"],
        )
    require_waiting(request)
    _end(tx, request, RequestStatus.WITHDRAWN, "approval_withdrawn")
    return get_(tx, request_id)


def begin(tx: Tx, request_id: str, *, digest: str) -> Problem | None:
    """Use an approval up, right before its command runs.

    Shape:  None lets the command run. A Problem is returned when the state changed
            since the last approval; the request is void then.
    Raises: NotFound, Conflict when it is not approved or was used, Forbidden when it is
            another person's.
    """
    request = get_(tx, request_id)
    if request.requester_id != tx.principal.id:
        raise NoApprover(f"{request.id} was approved for {request.requester}")
    if request.status is not RequestStatus.APPROVED:
        raise Conflict(
            f"{request.id} is {request.status.value}",
            fix=[f"approval show {request.id}"],
        )
    if request.digest != digest:
        _end(tx, request, RequestStatus.VOID, "approval_voided")
        return void(request)
    _end(tx, request, RequestStatus.RAN, "approval_ran")
    return None


def expire(tx: Tx, *, limit: int = 100) -> Sequence[Request]:
    """Note that requests have waited in vain, at most `limit` of them."""
    late = store.list_late(tx, most=limit)
    for each in late:
        _end(tx, each, RequestStatus.EXPIRED, "approval_expired")
    return late


def has_late(tx: Tx) -> bool:
    """Tell whether there is anything to expire."""
    return bool(store.list_late(tx, most=1))


def approvers(tx: Tx, request: Request) -> Sequence[User]:
    """List the people who may still decide a request, in the order they were made."""
    found: list[User] = []
    after = 0
    while page := users.list_after(tx, after, most=PAGE_LIMIT):
        found += [each for each in page if _obstacle(request, each) is None]
        after = number_of(page[-1].id, "U") or 0
    return [each for each in found if not request.has_voted(each.id)]


def _decidable(tx: Tx, request_id: str) -> tuple[Request, User]:
    """Get a request that the caller may decide now, and the caller as a person."""
    request = get_(tx, request_id)
    person = users.find(tx, tx.principal.id)
    if person is None:
        raise NoApprover(
            f"{tx.principal.name} is no person here", fix=["approve as yourself"]
        )
    if obstacle := _obstacle(request, person) or _borrowed(tx, request):
        raise obstacle
    require_waiting(request)
    if request.has_voted(person.id):
        raise Conflict(
            f"you have decided {request.id} already",
            fix=[f"approval show {request.id}"],
        )
    return request, person


def _obstacle(request: Request, person: User) -> Forbidden | None:
    """Say why a person may not decide a request; None when they may."""
    if person.id == request.requester_id:
        return SelfApproval(
            f"{person.name} asked for {request.id}, so somebody else has to decide",
            fix=[f"ask another {request.demand.role.value}"],
        )
    if not person.is_active or not has_rank(person.roles, request.demand.role):
        return lacks_role(request, request.demand.role)
    return None


def _borrowed(tx: Tx, request: Request) -> Forbidden | None:
    """Say why a key does not count: who asked made it, and so knows its text."""
    key = keys.find(tx, tx.principal.key_id) if tx.principal.key_id else None
    if key is None or key.created_by != request.requester_id:
        return None
    return SelfApproval(
        f"{request.requester} asked for {request.id} and made the key {key.id}, so it "
        "decides nothing here",
        fix=["decide it with a key or a sign-in of your own"],
    )


def _standing(tx: Tx, request: Request) -> Sequence[Vote]:
    """List the approvals of people who still may give them."""
    people = ((each, users.find(tx, each.person_id)) for each in request.approvals)
    return [
        vote
        for vote, person in people
        if person is not None and _obstacle(request, person) is None
    ]


def _vote(
    tx: Tx, request: Request, person: User, decision: Decision, *, reason: str
) -> None:
    store.add_vote(
        tx,
        request.id,
        Vote(
            person_id=person.id,
            person=person.name,
            decision=decision,
            channel=tx.channel,
            reason=require_text("reason", reason, limit=_REASON_LIMIT),
            at=tx.now,
        ),
    )


def _start(tx: Tx, request: Request) -> Request:
    """Put the command into the inbox, in its requester's name, with this decision."""
    token = tx.new_token("")[1:]
    if not store.move(
        tx, request, RequestStatus.APPROVED, request_id=f"rq_{token}"
    ):  # pragma: no cover - writers of one tenant are serial
        raise Conflict(f"{request.id} was decided meanwhile")
    tx.record(
        InboxDraft(
            key=InboxKey(tx.tenant, CHANNEL, "", request.requester_id, request.id),
            conversation="",
            reply_id=f"rp_{token}",
            request_id=f"rq_{token}",
            request_hash=request.digest,
            reply="",
            state=InboxState.RECEIVED,
            payload=canonical_json({"approval": request.id}).decode(),
        )
    )
    append(tx, "approval_granted", target=request.id, request_id=f"rq_{token}")
    return get_(tx, request.id)


def _end(
    tx: Tx, request: Request, to: RequestStatus, event: str, *, reason: str = ""
) -> None:
    if not store.move(tx, request, to):
        raise Conflict(
            f"{request.id} was decided meanwhile", fix=[f"approval show {request.id}"]
        )
    append(
        tx,
        event,
        target=request.id,
        line=request.line[:_SHOWN],
        requester=request.requester,
        reason=reason,
    )
