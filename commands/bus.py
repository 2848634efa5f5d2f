"""The one way from a parsed command to its handler: authorise, confirm, run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from commands import confirm
from commands.confirm import Asked
from commands.context import Context
from commands.parser import Invocation, parse
from commands.references import resolve_references
from commands.registry import Command, Registry
from commands.shown_once import mask
from core.database import Tx
from core.events.model import EventDraft
from core.kernel.jsons import Json
from core.kernel.principal import Principal
from core.kernel.problems import (
    AssuranceTooLow,
    IllegalMove,
    MissingScope,
    NeedsConfirmation,
    NotLinked,
    Problem,
)
from core.kernel.reply import Block, Code, Reply, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a command came from, as far as handlers and consent care.

    `is_consent` and `is_interactive` are explained at `confirm.Asked`.
    """

    channel: str
    account: str = ""
    sender: str = ""
    conversation: str = ""
    timezone: str = "UTC"
    is_consent: bool = False
    is_interactive: bool = False

    @property
    def place(self) -> tuple[str, str, str, str]:
        """The key under which this person's conversation is remembered."""
        return self.channel, self.account, self.conversation, self.sender


def authorise(command: Command, principal: Principal) -> None:
    """Check link, scope and assurance; nothing about the object itself.

    Raises: NotLinked, MissingScope, AssuranceTooLow.
    """
    if command.is_open:
        return
    if not principal.linked:
        raise NotLinked(f"{principal.name} is not linked to a person", fix=["link"])
    if not principal.may(command.scope):
        raise MissingScope(command.scope, who=principal.name)
    if principal.assurance < command.assurance:
        raise AssuranceTooLow(
            f"{command.name} needs assurance {int(command.assurance)}, "
            f"this channel gives {int(principal.assurance)}",
            fix=["use the console, the terminal or the API"],
        )


def resolve(
    tx: Tx, invocation: Invocation, registry: Registry, origin: Origin
) -> Invocation:
    """Find out what is meant here: macros become what they stand for, `#3` an id.

    Raises: any Problem of a macro; InvalidArgument for a reference without meaning.
    """
    invocation = resolve_references(tx, invocation, origin.place)
    if not invocation.command.is_macro:
        return invocation
    authorise(invocation.command, tx.principal)
    context = _context(tx, invocation, registry, origin)
    line: str = invocation.command.handler(context, **invocation.args)
    meant = parse(
        line, registry, now=tx.now, timezone=origin.timezone, me=tx.principal.name
    )
    if invocation.command.is_read and not meant.command.is_read:
        raise IllegalMove(
            f"{invocation.canonical} only looks, and {meant.canonical} does not",
            fix=[meant.canonical],
        )
    options = replace(
        meant.options, dry_run=invocation.options.dry_run, output=invocation.options.output
    )
    return resolve_references(tx, replace(meant, options=options), origin.place)


def run(tx: Tx, invocation: Invocation, registry: Registry, origin: Origin) -> Reply:
    """Run one resolved command inside a unit: rights, consent, then its handler.

    Raises: any Problem of the command; what the handler did is undone by then.
    """
    command = invocation.command
    authorise(command, tx.principal)
    asked = Asked(
        command=command, args=invocation.args, canonical=invocation.canonical,
        options=invocation.options, is_consent=origin.is_consent,
        is_interactive=origin.is_interactive,
    )
    context = _context(tx, invocation, registry, origin)
    if invocation.options.dry_run:
        return _rehearse(context, asked)
    try:
        with tx.attempt():
            confirm.require_consent(tx, asked)
            result = _call(context, invocation.args)
    except NeedsConfirmation:
        return confirm.propose(
            tx, asked, channel=origin.channel, conversation=origin.conversation
        )
    return _reply(result)


def _context(
    tx: Tx, invocation: Invocation, registry: Registry, origin: Origin
) -> Context:
    return Context(
        tx=tx, command=invocation.command, registry=registry, options=invocation.options,
        given=invocation.given, channel=origin.channel, account=origin.account,
        sender=origin.sender, conversation=origin.conversation, timezone=origin.timezone,
    )


def _call(context: Context, args: Mapping[str, Any]) -> Reply | Problem:
    result = context.command.handler(context, **args)
    return result if isinstance(result, Problem) else as_reply(result)


def _reply(result: Reply | Problem) -> Reply:
    """Raise a Problem that was returned: it refuses, but what was done stays."""
    if isinstance(result, Problem):
        raise result
    return result


def as_reply(result: Reply | str | Mapping[str, Json] | Sequence[Json] | Block) -> Reply:
    """Turn whatever a handler may return into a Reply.

    Raises: TypeError for anything else, which is a fault of the command.
    """
    match result:
        case Reply():
            return result
        case str():
            return Reply(summary=result[:150], blocks=(Text(md=result),), data={"text": result})
        case Mapping():
            return Reply(summary="Done", data=dict(result))
        case Sequence():
            return Reply(summary=f"{len(result)} items", data={"items": list(result)})
    if isinstance(result, Block):
        return Reply(summary="Done", blocks=(result,))
    raise TypeError(f"a command cannot return {type(result).__name__}")


def _rehearse(context: Context, asked: Asked) -> Reply:
    """Run the handler, keep what it said and would have recorded, undo the rest."""
    tx = context.tx
    mark = len(tx.drafts)
    with tx.attempt() as attempt:
        reply = mask(asked.command, _reply(_call(context, asked.args)))
        events = [draft for draft in tx.drafts[mark:] if isinstance(draft, EventDraft)]
        attempt.undo()
    return replace(
        reply,
        summary=f"Would: {reply.summary}"[:150],
        blocks=(*_plan(asked, events), *reply.blocks),
        undo=None,
        data={
            **reply.data,
            "dry_run": True,
            "plan": {
                "command": asked.canonical, "danger": asked.command.danger.value,
                "scope": asked.command.scope,
                "events": [{"event": e.type, "target": e.target} for e in events],
            },
        },
    )


def _plan(asked: Asked, events: Sequence[EventDraft]) -> Sequence[Block]:
    lines = [f"{event.type} {event.target}".rstrip() for event in events]
    return (
        Text(md=f"Dry run of `{asked.canonical}` ({asked.command.danger.value}); "
                "nothing was changed."),
        *((Code(text="\n".join(lines)),) if lines else ()),
    )
