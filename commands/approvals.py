"""Commands over approvals: which commands wait, what waits, and its decision."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks, waiting
from commands.approval_views import (
    ApprovalData,
    ApprovalPageData,
    RuleData,
    RulePageData,
    list_of,
    one_of,
    rule_of,
    view_of_rule,
)
from commands.context import Context
from commands.names import index_of, suggestions
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.approvals.requests import service as requests
from core.approvals.requests.model import RequestStatus
from core.approvals.rules import service as rules
from core.database import Tx
from core.kernel.principal import Assurance, Role
from core.kernel.problems import IllegalMove, Problem, UnknownCommand
from core.kernel.reply import Reply

ApprovalRef = Annotated[str, Ref("AP")]
RuleName = Annotated[
    str, Doc("A command such as 'task move', or all of a noun: 'task *'.")
]


@command(
    "approval rule set",
    scope="policies:write",
    danger="write",
    http="POST /v1/approval-rules",
    result=RuleData,
    examples=["approval rule set 'lease reclaim' --need 2 --role operator"],
)
def set_rule(
    ctx: Context,
    command: RuleName,
    *,
    need: Annotated[int, Doc("How many other people, 1 to 5.")] = 1,
    role: Annotated[
        Role, Doc("Who may approve; a higher role may too.")
    ] = Role.OPERATOR,
) -> Reply:
    """Have a command wait for other people; a rule that stands is only raised."""
    return rule_of(rules.set_(ctx.tx, _ruled(ctx, command), need=need, role=role))


@command(
    "approval rule list",
    scope="policies:read",
    http="GET /v1/approval-rules",
    result=RulePageData,
    examples=["approval rule list"],
)
def list_rules(ctx: Context) -> Reply:
    """List which commands wait, and for whom."""
    found = rules.list_(ctx.tx)
    if not found:
        return blocks.empty(
            "No command waits for approval", ("Approvals", "approval list")
        )
    return Reply(
        summary=blocks.count(len(found), "approval rule"),
        blocks=(
            blocks.table(
                ("command", "need", "role", "set by"),
                [(each.command, each.need, each.role, each.set_by) for each in found],
            ),
        ),
        data={"items": [view_of_rule(each) for each in found], "next": None},
    )


def _rule_standing(tx: Tx, name: str) -> str:
    """What consent to a rule's deletion is bound to: what it asks for."""
    rule = rules.get_(tx, name)
    return f"{rule.need}/{rule.role.value}"


@command(
    "approval rule delete",
    scope="policies:write",
    danger="destructive",
    target="command",
    fingerprint=_rule_standing,
    http="DELETE /v1/approval-rules/{command}",
    result=RuleData,
    examples=["approval rule delete 'lease reclaim'"],
)
def delete_rule(ctx: Context, command: RuleName) -> Reply:
    """Let a command run again without others; what waits already goes on waiting."""
    return rule_of(rules.delete(ctx.tx, command))


@command(
    "approval list",
    scope="approvals:read",
    http="GET /v1/approvals",
    result=ApprovalPageData,
    examples=["approval list", "approval list --status waiting"],
)
def list_(
    ctx: Context,
    *,
    status: RequestStatus | None = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List what waited or waits for approval, the newest first."""
    page = requests.list_(ctx.tx, status, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            "Nothing waits for approval", ("Rules", "approval rule list")
        )
    return list_of(page, ctx.tx.now)


@command(
    "approval show",
    scope="approvals:read",
    target="approval",
    http="GET /v1/approvals/{approval}",
    result=ApprovalData,
    examples=["AP-3", "approval show AP-3"],
)
def show(ctx: Context, approval: ApprovalRef) -> Reply:
    """Show a request: the command, who asked, who decided, and what came of it."""
    return one_of(ctx, requests.get_(ctx.tx, approval))


@command(
    "approval approve",
    scope="approvals:write",
    danger="write",
    is_control=True,
    is_personal=True,
    assurance=Assurance.SENDER,
    alters="inbox",
    target="approval",
    http="POST /v1/approvals/{approval}/approve",
    result=ApprovalData,
    examples=["approve AP-3", 'approve AP-3 --reason "looks right"'],
)
def approve(ctx: Context, approval: ApprovalRef) -> Reply | Problem:
    """Agree that a command of somebody else may run; the last one needed starts it."""
    request = requests.get_(ctx.tx, approval)
    outcome = requests.approve(
        ctx.tx,
        request.id,
        digest=waiting.digest_now(ctx.tx, request, ctx.registry),
        reason=ctx.options.reason,
    )
    return outcome if isinstance(outcome, Problem) else one_of(ctx, outcome)


@command(
    "approval reject",
    scope="approvals:write",
    danger="write",
    is_control=True,
    is_personal=True,
    assurance=Assurance.SENDER,
    target="approval",
    http="POST /v1/approvals/{approval}/reject",
    result=ApprovalData,
    examples=['reject AP-3 --reason "not on a Friday"'],
)
def reject(ctx: Context, approval: ApprovalRef) -> Reply:
    """Refuse a command of somebody else; one person's refusal ends it."""
    return one_of(ctx, requests.reject(ctx.tx, approval, reason=ctx.options.reason))


@command(
    "approval cancel",
    scope="approvals:write",
    danger="write",
    is_control=True,
    target="approval",
    http="POST /v1/approvals/{approval}/cancel",
    result=ApprovalData,
    examples=["cancel AP-3"],
)
def cancel(ctx: Context, approval: ApprovalRef) -> Reply:
    """Take back a command of yours that waits for others."""
    return one_of(ctx, requests.withdraw(ctx.tx, approval))


COMMANDS: Sequence[Command] = (
    set_rule,
    list_rules,
    delete_rule,
    list_,
    show,
    approve,
    reject,
    cancel,
)


def _ruled(ctx: Context, text: str) -> str:
    """Name what a rule is over: one command that can wait, or a noun with some.

    Raises: UnknownCommand, IllegalMove.
    """
    words = text.lower().split()[:4]
    index = index_of(ctx.registry)
    if len(words) == 2 and words[1] == "*":
        noun = index.nouns.get(words[0], "")
        if any(each.noun == noun and waiting.may_wait(each) for each in ctx.registry):
            return f"{noun} *"
    named = index.phrases.get(" ".join(words))
    if named is None:
        close = suggestions(index, words) if words else []
        raise UnknownCommand(
            f"no rule can be made for '{text[:60]}'",
            fix=[f"approval rule set '{each}'" for each in close] or ["help"],
            suggestions=close,
        )
    if not waiting.may_wait(named.command):
        raise IllegalMove(
            f"{named.command.name} never waits: it only looks, steers, asks the "
            "network, or holds a secret",
            fix=["help --all"],
        )
    return named.command.name
