"""Commands that wait for other people: which do, what is asked, and their start."""

from commands import blocks
from commands.confirm import whole_line
from commands.context import Context, Origin
from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Command, Registry
from commands.targets import state_of
from core.approvals.model import digest_of
from core.approvals.requests import service as requests
from core.approvals.requests.model import Asked, Request, RequestDraft
from core.approvals.rules import service as rules
from core.approvals.rules.model import Demand
from core.database import Tx
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.kernel.problems import Conflict, IllegalMove, NotFound, Problem
from core.kernel.reply import Reply, ReplyStatus, Text


def may_wait(command: Command) -> bool:
    """Tell whether a rule can hold a command.

    What only looks changes nothing to agree to; what steers (confirm, approve, cancel)
    never waits, nor does what runs ahead of its unit; a line with a secret in it is not
    stored, nor is an answer with one.
    """
    is_free = (
        command.is_read or command.is_control or command.is_open or command.is_async
    )
    has_secret = any(each.is_secret for each in command.parameters)
    return not (is_free or command.is_macro or has_secret or command.hides)


def demand_of(context: Context) -> Demand | None:
    """Find whom a command has to wait for; None when it may run."""
    if not may_wait(context.command):
        return None
    return rules.find_demand(context.tx, context.command.name)


def ask(context: Context, demand: Demand) -> Reply:
    """Store the command as a request, and say whom it waits for."""
    asked = context.invocation
    line = whole_line(asked)
    request = requests.ask(
        context.tx,
        RequestDraft(
            command=asked.command.name,
            line=line,
            target=asked.target,
            digest=_digest(context.tx, asked, line),
            demand=demand,
            asked=_asked_at(context.origin, context.principal),
            reason=asked.options.reason,
        ),
    )
    return _waiting(request, is_told=bool(context.origin.reply_to))


def digest_now(tx: Tx, request: Request, registry: Registry) -> str:
    """Digest a stored command with the state of its target as it is now.

    Raises: IllegalMove when the command can no longer be read.
    """
    return _digest(tx, understood(tx, request, registry), request.line)


def begin(context: Context) -> Problem | None:
    """Use up the approval that a command brings along.

    Shape:  None lets it run; a Problem says why it may not any more, and is kept.
    Raises: NotFound, Conflict, Forbidden when there is no such approval for it.
    """
    asked = context.invocation
    digest = _digest(context.tx, asked, whole_line(asked))
    return requests.begin(context.tx, context.origin.approval, digest=digest)


def understood(tx: Tx, request: Request, registry: Registry) -> Invocation:
    """Read a stored command again, as its requester meant it.

    Raises: IllegalMove when it can no longer be read, for the command is gone.
    """
    try:
        return parse(
            request.line,
            registry,
            now=tx.now,
            timezone=request.asked.timezone,
            me=request.requester,
        )
    except Problem as problem:
        raise IllegalMove(
            f"{request.id} cannot be read any more: {problem.detail}",
            fix=[f"approval reject {request.id}"],
        ) from problem


def _asked_at(origin: Origin, by: Principal) -> Asked:
    return Asked(
        channel=origin.channel,
        account=origin.account,
        sender=origin.sender,
        conversation=origin.conversation,
        timezone=origin.timezone,
        assurance=by.assurance,
        scopes=by.scopes,
        reply_to=origin.reply_to,
    )


def _digest(tx: Tx, asked: Invocation, line: str) -> str:
    try:
        state = state_of(tx, asked.command, asked.target)
    except (Conflict, NotFound):
        state = "gone"  # Nobody could ask for it then, so no request is bound to this.
    return digest_of(line, f"{state}{asked.command.edition}")


def _waiting(request: Request, *, is_told: bool) -> Reply:
    need, given = request.demand.need, len(request.approvals)
    who = people(request.demand)
    told = (
        "You will be told here."
        if is_told
        else f"`approval show {request.id}` tells what became of it."
    )
    return Reply(
        summary=f"{request.id} waits for {who}: {request.line}"[:150],
        status=ReplyStatus.NEEDS_CONFIRMATION,
        blocks=(
            Text(
                md=f"`{request.line}` runs once {who} agreed, until "
                f"{request.expires_at:%m-%d %H:%M} UTC, and only if what it is about "
                f"stays as it is. {told}"
            ),
            blocks.actions(
                ("Show", f"approval show {request.id}"),
                ("Withdraw", f"approval cancel {request.id}"),
            ),
        ),
        data={
            "id": request.id,
            "approval": request.id,
            "status": request.status.value,
            "need": need,
            "given": given,
            "role": request.demand.role.value,
            "command": request.line,
            "target": request.target,
            "expires_at": to_iso(request.expires_at),
        },
    )


def people(demand: Demand) -> str:
    """Write whom a command waits for: `2 other people (operator)`."""
    count = "another person" if demand.need == 1 else f"{demand.need} other people"
    return f"{count} ({demand.role.value})"


def plan_of(demand: Demand | None) -> Json:
    """Show a demand as data."""
    return {"need": demand.need, "role": demand.role.value} if demand else None
