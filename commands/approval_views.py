"""How requests for approval and their rules are shown, as data and to people."""

from collections.abc import Sequence
from datetime import datetime

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from core.approvals.requests.model import Request, RequestStatus, Vote
from core.approvals.rules.model import Rule
from core.delivery import inbox
from core.kernel.clock import to_iso
from core.kernel.jsons import Json, parse_json
from core.kernel.pages import Page
from core.kernel.reply import Block, Reply


class VoteData(TypedDict):
    """What one person decided."""

    person: str
    decision: str
    channel: str
    reason: str
    at: str


class ApprovalData(TypedDict):
    """A command that waits or waited; `outcome` is the status of its run's answer."""

    id: str
    status: str
    command: str
    target: str
    requester: str
    reason: str
    need: int
    given: int
    role: str
    votes: list[VoteData]
    created_at: str
    expires_at: str
    request_id: str
    outcome: str


class ApprovalPageData(TypedDict):
    """A page of approvals, the newest first."""

    items: list[ApprovalData]
    next: str | None


class RuleData(TypedDict):
    """A rule: which command waits for whom."""

    command: str
    need: int
    role: str
    set_by: str
    created_at: str


class RulePageData(TypedDict):
    """All rules by command."""

    items: list[RuleData]
    next: str | None


def view_of(request: Request, *, outcome: str = "") -> dict[str, Json]:
    """Show a request as data."""
    return {
        "id": request.id,
        "status": request.status.value,
        "command": request.line,
        "target": request.target,
        "requester": request.requester,
        "reason": request.reason,
        "need": request.demand.need,
        "given": len(request.approvals),
        "role": request.demand.role.value,
        "votes": [_vote(each) for each in request.votes],
        "created_at": to_iso(request.created_at),
        "expires_at": to_iso(request.expires_at),
        "request_id": request.request_id,
        "outcome": outcome,
    }


def one_of(ctx: Context, request: Request) -> Reply:
    """Show one request, with what can be done about it."""
    outcome, told = _outcome(ctx, request)
    return Reply(
        summary=_summary(request, outcome)[:150],
        blocks=(
            blocks.fields(
                ("command", request.line),
                ("asked by", f"{request.requester} via {request.asked.channel}"),
                ("reason", request.reason),
                ("approved", _progress(request)),
                ("until", f"{request.expires_at:%Y-%m-%d %H:%M} UTC"),
                ("came of it", told),
            ),
            *_votes(request.votes),
            *_actions(ctx, request),
        ),
        data=view_of(request, outcome=outcome),
    )


def list_of(page: Page[Request], now: datetime) -> Reply:
    """Show a page of requests."""
    return Reply(
        summary=blocks.count(len(page.items), "approval"),
        blocks=(
            blocks.table(
                ("id", "status", "approved", "command", "asked by", "age"),
                [
                    (
                        each.id,
                        each.status,
                        f"{len(each.approvals)} of {each.demand.need}",
                        each.line,
                        each.requester,
                        blocks.age(each.created_at, now),
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [view_of(each) for each in page.items], "next": page.next},
    )


def rule_of(rule: Rule) -> Reply:
    """Show one rule."""
    return Reply(
        summary=f"{rule.command}: {rule.need} x {rule.role.value}"[:150],
        data=view_of_rule(rule),
    )


def view_of_rule(rule: Rule) -> dict[str, Json]:
    """Show a rule as data."""
    return {
        "command": rule.command,
        "need": rule.need,
        "role": rule.role.value,
        "set_by": rule.set_by,
        "created_at": to_iso(rule.created_at),
    }


def _outcome(ctx: Context, request: Request) -> tuple[str, str]:
    """Read how the run ended, and what it said; "" while it did not run."""
    found = inbox.find_reply(ctx.tx, request.request_id) if request.request_id else None
    stored = parse_json(found) if found else None
    if not isinstance(stored, dict):
        return "", ""
    return str(stored["status"]), str(stored["summary"])


def _summary(request: Request, outcome: str) -> str:
    head = f"{request.id} {request.status.value}, {_progress(request)}"
    if request.status is RequestStatus.APPROVED and not outcome:
        return f"{head}, running as {request.request_id}: {request.line}"
    return f"{head}: {request.line}"


def _progress(request: Request) -> str:
    need, role = request.demand.need, request.demand.role.value
    return f"{len(request.approvals)} of {need} ({role})"


def _votes(votes: Sequence[Vote]) -> Sequence[Block]:
    if not votes:
        return ()
    rows = [(each.person, each.decision, each.channel, each.reason) for each in votes]
    return (blocks.table(("who", "said", "via", "reason"), rows),)


def _actions(ctx: Context, request: Request) -> Sequence[Block]:
    """Offer what this person can do about it."""
    if request.request_id:
        return (blocks.actions(("Answer", f"reply show {request.request_id}")),)
    if request.status is not RequestStatus.WAITING:
        return ()
    if request.requester_id == ctx.principal.id:
        return (blocks.actions(("Withdraw", f"approval cancel {request.id}")),)
    if request.has_voted(ctx.principal.id):
        return ()
    return (decisions(request),)


def decisions(request: Request) -> Block:
    """Offer to approve or to reject."""
    return blocks.actions(
        (f"Approve {request.id}", f"approval approve {request.id}"),
        (f"Reject {request.id}", f"approval reject {request.id}"),
    )


def _vote(vote: Vote) -> dict[str, Json]:
    return {
        "person": vote.person,
        "decision": vote.decision.value,
        "channel": vote.channel,
        "reason": vote.reason,
        "at": to_iso(vote.at),
    }
