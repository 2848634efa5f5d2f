"""Why something was refused or waits: the checks in their order, and which one failed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from typing_extensions import TypedDict

from commands import blocks, bus, stored_replies
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from core.approvals.problems import (
    ApprovalVoid,
    NeedsApproval,
    NoApprover,
    SelfApproval,
)
from core.audit import service as audit
from core.audit.model import AuditEntry, Verdict
from core.hooks.triggers.model import FIRE
from core.identity.scopes import covers, scopes_of
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.principal import DEFAULT_TENANT, Assurance, Principal, Role
from core.kernel.problems import (
    AssuranceTooLow,
    ChannelOff,
    InvalidArgument,
    MissingScope,
    NeedsConfirmation,
    NotFound,
    NotLinked,
    Problem,
    RateLimited,
    StepUpRequired,
    Unauthenticated,
)
from core.kernel.reply import Reply, ReplyStatus, Text

# The order in which every command is checked; the last is the command's own business.
RULES = (
    "sign-in",
    "limit",
    "form",
    "channel",
    "link",
    "scope",
    "assurance",
    "step-up",
    "confirmation",
    "approval",
    "command",
)
_RULE_OF: Mapping[str, str] = {
    Unauthenticated.code: "sign-in",
    RateLimited.code: "limit",
    ChannelOff.code: "channel",
    NotLinked.code: "link",
    MissingScope.code: "scope",
    AssuranceTooLow.code: "assurance",
    StepUpRequired.code: "step-up",
    NeedsConfirmation.code: "confirmation",
    NeedsApproval.code: "approval",
    SelfApproval.code: "approval",
    NoApprover.code: "approval",
    ApprovalVoid.code: "approval",
}
_RULE_OF_VERDICT = {Verdict.INVALID: "form", Verdict.DENIED: "sign-in"}


class CheckData(TypedDict):
    """One check: `passed`, `failed`, `waits` or `not reached`."""

    rule: str
    outcome: str
    fact: str


class WhyData(TypedDict):
    """How one request was decided; `rule` is the check that ended it, "" for none."""

    id: str
    command: str
    actor: str
    channel: str
    at: str
    verdict: str
    rule: str
    detail: str
    checks: list[CheckData]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decision:
    """One decision, and what was answered where an answer was stored."""

    entry: AuditEntry
    status: str = ""
    code: str = ""
    detail: str = ""
    waits_for: str = ""


@command(
    "why",
    is_open=True,
    looks_back=True,
    result=WhyData,
    http="GET /v1/why/{request}",
    examples=["why rp_01JC8ZQ4T7", "why rq_01JC8ZQ4T7"],
)
def why(
    ctx: Context,
    request: Annotated[str, Doc("The id of a reply or of its request.")],
) -> Reply:
    """Tell which check a request did not pass, and which fact it failed on."""
    if not request.startswith(("rq_", "rp_")):
        raise InvalidArgument(
            f"'{request[:40]}' is not the id of a reply or a request",
            fix=["audit list", "why rp_…"],
            argument="request",
        )
    decision = _find(ctx, f"rq_{request[3:]}")
    asked = ctx.registry.find(decision.entry.action)
    rule = _rule(decision, asked)
    checks = list(_checks(decision, asked, rule))
    last = next((each for each in checks if each["rule"] == rule), None)
    return Reply(
        summary=_summary(decision, rule)[:150],
        blocks=(
            blocks.table(
                ("check", "outcome", "fact"),
                [(each["rule"], each["outcome"], each["fact"]) for each in checks],
            ),
            *((Text(md=last["fact"]),) if last else ()),
        ),
        data=_view(decision, rule, checks),
    )


COMMANDS: Sequence[Command] = (why,)


def _find(ctx: Context, request_id: str) -> _Decision:
    """Find how a request of the caller's was decided; others' need `audit:read`.

    Raises: NotFound.
    """
    me = ctx.principal
    found = audit.list_of_request(ctx.tx, request_id)
    entry = found[-1] if found else None
    if entry is None or not (entry.actor == me.name or me.may("audit:read")):
        raise NotFound(f"a decision on {request_id[:40]}", fix=["audit list"])
    return _answered(entry, stored_replies.find(ctx, request_id))


def _answered(entry: AuditEntry, reply: dict[str, Json] | None) -> _Decision:
    if reply is None:
        return _Decision(entry=entry, detail=entry.reason)
    error = reply["error"] if isinstance(reply["error"], dict) else {}
    is_waiting = reply["status"] == ReplyStatus.NEEDS_CONFIRMATION
    has_approval = isinstance(reply["data"], dict) and "approval" in reply["data"]
    return _Decision(
        entry=entry,
        status=str(reply["status"]),
        code=str(error.get("code", "")),
        detail=str(error.get("detail", "") or reply["summary"]),
        waits_for=("approval" if has_approval else "confirmation")
        if is_waiting
        else "",
    )


def _rule(decision: _Decision, asked: Command | None) -> str:
    """Name the check that ended a request; "" when it passed all of them."""
    if decision.waits_for:
        return decision.waits_for
    entry = decision.entry
    if entry.verdict is Verdict.ALLOWED:
        return ""
    if entry.action == FIRE:
        return "limit"
    code = decision.code or _code_of(entry, asked)
    return _RULE_OF.get(code) or _RULE_OF_VERDICT.get(entry.verdict, "command")


def _code_of(entry: AuditEntry, asked: Command | None) -> str:
    """Find the refusal of the gate that says what the audit says, to the letter."""
    if entry.reason.startswith("the limit of "):
        return RateLimited.code
    if f" disabled {entry.channel}: " in entry.reason:
        return ChannelOff.code
    if asked is None:
        return ""
    for ghost in _ghosts(entry, asked):
        try:
            bus.authorise(asked, ghost)
        except Problem as problem:
            if problem.detail == entry.reason:
                return problem.code
    return ""


def _ghosts(entry: AuditEntry, asked: Command) -> Iterator[Principal]:
    """Yield callers of that name, each lacking one thing more than the next."""
    bare = Principal(id="", name=entry.actor, tenant=DEFAULT_TENANT, linked=False)
    yield bare
    yield replace(bare, linked=True)
    scopes = frozenset({asked.scope})
    for level in Assurance:
        yield replace(bare, linked=True, scopes=scopes, assurance=level)


def _checks(
    decision: _Decision, asked: Command | None, rule: str
) -> Iterator[CheckData]:
    """Yield every check up to the one that ended it, and those that came no more."""
    outcome = "passed"
    for name in RULES:
        if name == rule:
            ended = "waits" if decision.waits_for else "failed"
            fact = f"{decision.detail}{_help(name, asked)}"
            yield CheckData(rule=name, outcome=ended, fact=fact)
            outcome = "not reached"
        else:
            yield CheckData(rule=name, outcome=outcome, fact=_wanted(name, asked))


def _wanted(rule: str, asked: Command | None) -> str:
    """Write what a check asks of this command."""
    if asked is None:
        return ""
    match rule:
        case "link":
            return "open to everybody" if asked.is_open else ""
        case "scope":
            return f"needs {asked.scope}" if asked.scope else "needs none"
        case "assurance":
            return f"needs {int(asked.assurance)}"
        case "confirmation":
            return asked.dangers
    return ""


def _help(rule: str, asked: Command | None) -> str:
    """Say who has what is missing."""
    if rule != "scope" or asked is None:
        return ""
    wanted = frozenset({asked.scope})
    roles = [role.value for role in Role if covers(scopes_of([role]), wanted)]
    return f"; the roles with it: {', '.join(roles)}"


def _summary(decision: _Decision, rule: str) -> str:
    asked = decision.entry.command or decision.entry.action
    if not rule:
        return f"{asked} passed every check"
    verb = "waits at" if decision.waits_for else "failed at"
    return f"{asked} {verb} {rule}: {decision.detail}"


def _view(
    decision: _Decision, rule: str, checks: Sequence[CheckData]
) -> dict[str, Json]:
    entry = decision.entry
    return {
        "id": entry.request_id,
        "command": entry.command or entry.action,
        "actor": entry.actor,
        "channel": entry.channel,
        "at": to_iso(entry.at),
        "verdict": entry.verdict.value,
        "rule": rule,
        "detail": decision.detail,
        "checks": [_shown(each) for each in checks],
    }


def _shown(check: CheckData) -> dict[str, Json]:
    return {"rule": check["rule"], "outcome": check["outcome"], "fact": check["fact"]}
