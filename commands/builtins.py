"""Words that need no noun: who am I, help, and what to do with the last reply."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from commands import alias_help, blocks, stored_replies
from commands import help as ladder
from commands.context import Context
from commands.parser import parse
from commands.references import resolve_word
from commands.registry import Command, command
from commands.schema import Doc
from commands.tokens import command_start, tokenise
from commands.words import is_reference
from core.approvals import service as approvals
from core.collab import tasks
from core.delivery import conversations
from core.delivery.model import Memory
from core.identity.links import service as links
from core.identity.links.model import Identity
from core.kernel.jsons import Json
from core.kernel.problems import (
    Conflict,
    IllegalMove,
    InvalidArgument,
    NotACommand,
    UnknownCommand,
)
from core.kernel.reply import Reply, Text
from core.kernel.version import VERSION
from core.leases import service as leases


@command(
    "whoami", http="GET /v1/me", is_open=True, is_control=True, examples=["whoami"]
)
def whoami(ctx: Context) -> Reply:
    """Tell who you are here, what you may do, and where else you are linked."""
    me = ctx.principal
    accounts = links.list_(ctx.tx, me.id) if me.linked else ()
    return Reply(
        summary=f"{me.name} via {ctx.channel}, tenant {me.tenant}"[:150],
        blocks=(
            blocks.fields(
                ("name", me.name),
                ("tenant", me.tenant),
                ("roles", ", ".join(sorted(me.roles))),
                ("scopes", ", ".join(sorted(me.scopes))),
                ("linked", ", ".join(_account(each) for each in accounts)),
            ),
            *(() if me.linked else (blocks.actions(("Link this account", "link")),)),
        ),
        data={
            "id": me.id,
            "name": me.name,
            "tenant": me.tenant,
            "linked": me.linked,
            "roles": list[Json](sorted(me.roles)),
            "scopes": list[Json](sorted(me.scopes)),
            "key": me.key_id,
            "timezone": me.timezone,
            "channels": [
                {
                    "channel": each.account.channel,
                    "account": each.account.account,
                    "sender": each.account.sender,
                }
                for each in accounts
            ],
        },
    )


@command(
    "help",
    is_open=True,
    is_control=True,
    examples=["help", "help task", "help task create"],
)
def help_(
    ctx: Context,
    topic: Annotated[Sequence[str], Doc("A noun, or a noun and a verb.")] = (),
    *,
    all: Annotated[bool, Doc("Every command, also those you may not run.")] = False,
) -> Reply:
    """Show what you can ask; name a noun or a command to learn more of it."""
    if all:
        return ladder.everything(ctx.registry)
    if not topic:
        page = ladder.overview(ctx.registry, ctx.principal)
        return replace(page, blocks=(*page.blocks, *alias_help.overview(ctx)))
    if named := ctx.registry.find(" ".join(topic).lower()):
        return ladder.of_command(named)
    own = alias_help.find(ctx, topic)
    return own or ladder.of_noun(ctx.registry, topic[0], ctx.principal)


@command("version", is_open=True, examples=["version"], http="GET /v1/version")
def version(_: Context) -> Reply:
    """Tell which version answers."""
    return Reply(summary=f"Opswire {VERSION}", data={"version": VERSION})


@command("status", is_control=True, examples=["status"], http="GET /v1/status")
def status(ctx: Context) -> Reply:
    """Sum up what waits for you and how the board stands."""
    counts = tasks.count_by_status(ctx.tx)
    held = leases.list_(ctx.tx, holder=ctx.principal.name).items
    waiting = approvals.list_open(ctx.tx)
    disabled = ctx.registry.outages
    return Reply(
        summary=(
            f"{blocks.count(sum(counts.values()), 'task')}, you hold "
            f"{blocks.count(len(held), 'lease')}, {len(waiting)} to confirm"
        ),
        blocks=(
            blocks.fields(*counts.items(), ("disabled", ", ".join(sorted(disabled)))),
            blocks.table(
                ("proposal", "command"), [(each.id, each.command) for each in waiting]
            ),
        ),
        data={
            "tasks": {status.value: number for status, number in counts.items()},
            "leases": [each.lock_id for each in held],
            "proposals": [{"id": each.id, "command": each.command} for each in waiting],
            "disabled": [
                {"command": name, "why": each.why}
                for name, each in sorted(disabled.items())
            ],
        },
    )


@command(
    "confirm",
    danger="write",
    is_macro=True,
    is_control=True,
    examples=["confirm 7f3k2a"],
)
def confirm(ctx: Context, proposal: Annotated[str, Doc("Its short id.")] = "") -> str:
    """Run the command that waits for your confirmation."""
    found = approvals.get_open(ctx.tx, proposal or _only_proposal(ctx))
    try:
        parse(found.command, ctx.registry, now=ctx.tx.now)
    except (UnknownCommand, NotACommand) as gone:
        raise IllegalMove(
            f"{found.id} was made for `{found.command}`, and there is no such command "
            "any more",
            fix=[f"cancel {found.id}", "help"],
        ) from gone
    return f"{found.command} --confirm {found.id}"


@command("cancel", danger="write", is_control=True, examples=["cancel 7f3k2a"])
def cancel(ctx: Context, proposal: Annotated[str, Doc("Its short id.")] = "") -> Reply:
    """Drop a command that waits for your confirmation."""
    dropped = approvals.withdraw(ctx.tx, proposal or _only_proposal(ctx))
    return Reply(
        summary=f"Dropped: {dropped.command}"[:150],
        data={"id": dropped.id, "command": dropped.command},
    )


@command("more", is_macro=True, examples=["more"])
def more(ctx: Context) -> str:
    """Show the next rows of the last list in this conversation."""
    line = _memory(ctx).more_line
    if not line:
        raise InvalidArgument("there is nothing more to show here", fix=["task list"])
    return line


@command("last", is_macro=True, examples=["last"])
def last(ctx: Context) -> str:
    """Show the object that was last touched in this conversation."""
    last_id = _memory(ctx).last_id
    if not last_id:
        raise InvalidArgument(
            "nothing was touched in this conversation", fix=["task list"]
        )
    return last_id


@command("this", is_macro=True, examples=["this"])
def this(ctx: Context) -> str:
    """Show what this thread, subject or page is about, or what was touched last."""
    return ctx.origin.this or last.handler(ctx)


@command(
    "refer",
    danger="write",
    is_macro=True,
    examples=["claim this", "show last", 'approve #2 --reason "tests green"'],
)
def refer(
    ctx: Context, line: Annotated[str, Doc("A verb, and this, last or #n.")]
) -> str:
    """Do something with what was said before; the words `refer` itself may be left out."""
    start, _ = command_start(line)
    tokens = tokenise(line, start).tokens
    if len(tokens) < 2 or not is_reference(tokens[1].text):
        raise InvalidArgument(
            "it names nothing that was said before", fix=["show last", "claim #1"]
        )
    word = tokens[1]
    found = resolve_word(ctx.tx, word.text, ctx.origin)
    return f"{line[: word.start]}{found}{line[word.end :]}"


@command("undo", danger="write", is_macro=True, examples=["undo", "undo rp_01JC8ZQ4T7"])
def undo(ctx: Context, reply: Annotated[str, Doc("The id of the reply.")] = "") -> str:
    """Take back what a command of yours did, within ten minutes."""
    reply_id = reply or _memory(ctx).reply_id
    if not reply_id:
        raise InvalidArgument("which reply?", fix=["undo rp_…"])
    stored = stored_replies.get_(ctx, reply_id)
    offer, line = stored.get("undo"), str(stored["command"])[:100] or reply_id[:40]
    if stored.get("actor") != ctx.principal.name or not isinstance(offer, dict):
        raise Conflict(f"{line} cannot be taken back", fix=["help"])
    if datetime.fromisoformat(str(offer["until"])) < ctx.tx.now:
        raise Conflict(f"the ten minutes to undo {line} are over", fix=["help"])
    return str(offer["command"])


@command(
    "reply show",
    http="GET /v1/replies/{reply}",
    paths=["/v1/commands/{reply}"],
    examples=["reply show rp_01JC8ZQ4T7"],
)
def show_reply(
    ctx: Context, reply: Annotated[str, Doc("The id of a reply or of its request.")]
) -> Reply:
    """Show an answer again, as it was stored."""
    stored = stored_replies.get_(ctx, reply)
    return Reply(
        summary=str(stored["summary"]),
        blocks=(Text(md=f"`{stored['command']}`\n\n{stored['summary']}"),),
        data=stored,
    )


@command("catalog", http="GET /v1/commands/catalog", examples=["catalog"])
def catalog(ctx: Context) -> Reply:
    """Describe every command: arguments, danger, scope, examples and routes."""
    described: list[Json] = [describe(each) for each in ctx.registry]
    return Reply(
        summary=blocks.count(len(described), "command"),
        data={"items": described, "next": None},
    )


def describe(command: Command) -> dict[str, Json]:
    """Describe a command for programs that build forms, buttons and completions."""
    return {
        "name": command.name,
        "summary": command.summary,
        "usage": ladder.usage(command),
        "scope": command.scope,
        "danger": command.danger.value,
        "examples": list(command.examples),
        "routes": [f"{route.method} {route.path}" for route in command.routes],
        "args": command.model.model_json_schema(),
    }


COMMANDS: Sequence[Command] = (
    whoami,
    help_,
    version,
    status,
    confirm,
    cancel,
    more,
    last,
    undo,
    this,
    refer,
    catalog,
    show_reply,
)


def _account(identity: Identity) -> str:
    return f"{identity.account.channel} {identity.account.sender}"


def _memory(ctx: Context) -> Memory:
    return conversations.recall(ctx.tx, ctx.origin.place)


def _only_proposal(ctx: Context) -> str:
    """Find the one command that waits here; two would make a plain word ambiguous."""
    waiting = [
        each
        for each in approvals.list_open(ctx.tx)
        if each.conversation == ctx.origin.conversation and each.channel == ctx.channel
    ]
    if len(waiting) != 1:
        raise InvalidArgument(
            f"{len(waiting)} commands wait for you here",
            fix=[f"confirm {each.id}" for each in waiting] or ["status"],
        )
    return waiting[0].id
