"""The one way from a parsed command to its handler: authorise, confirm, run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from commands import confirm, waiting
from commands.context import Context, Origin
from commands.invocation import Invocation
from commands.kept_lines import weigh
from commands.mentions import resolve_people
from commands.parser import parse
from commands.references import resolve_references
from commands.registry import Command, Registry
from commands.shown_once import mask
from core.approvals.rules.model import Demand
from core.database import Tx
from core.events.model import EventDraft
from core.kernel.jsons import Json
from core.kernel.principal import HOW_TO_PAIR, Principal
from core.kernel.problems import (
    AssuranceTooLow,
    Conflict,
    IllegalMove,
    MissingScope,
    NeedsConfirmation,
    NotLinked,
    Problem,
    Unauthenticated,
)
from core.kernel.reply import Block, Code, Reply, Text

_MOST_MACROS = 3  # a button may stand for `confirm`, which stands for a command

_IN_PAIRS = frozenset({"job", "variant", "export"})
"""The nouns whose commands may want a token and a key."""


def require_pair(principal: Principal) -> None:
    """Refuse one credential where the settings want a token and a key.

    Raises: Unauthenticated naming the header that is missing.
    """
    if principal.lacks:
        raise Unauthenticated(
            f"this needs the header {principal.lacks} as well",
            fix=[HOW_TO_PAIR[principal.lacks]],
        )


def authorise(command: Command, principal: Principal) -> None:
    """Check link, scope and assurance; nothing about the object itself.

    Raises: NotLinked, MissingScope, AssuranceTooLow; Unauthenticated where two
            credentials are wanted and one came.
    """
    if command.is_open:
        return
    if not principal.linked:
        raise NotLinked(f"{principal.name} is not linked to a person", fix=["link"])
    if command.noun in _IN_PAIRS:
        require_pair(principal)
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
    for _ in range(_MOST_MACROS):
        invocation = resolve_references(tx, invocation, origin)
        if not invocation.command.is_macro:
            meant = resolve_people(tx, invocation, origin)
            return weigh(meant, registry, now=tx.now, origin=origin)
        context = Context(
            tx=tx, invocation=invocation, registry=registry, origin=origin
        )
        invocation = _meant(context)
    raise IllegalMove(f"{invocation.canonical} stands for nothing", fix=["help"])


def _meant(context: Context) -> Invocation:
    """Understand the line that a macro stands for; only what looks may be read."""
    tx, invocation = context.tx, context.invocation
    authorise(invocation.command, tx.principal)
    line: str = invocation.command.handler(context, **invocation.args)
    meant = parse(
        line,
        context.registry,
        now=tx.now,
        timezone=context.origin.timezone,
        me=tx.principal.name,
    )
    if invocation.command.is_read and not meant.command.is_read:
        raise IllegalMove(
            f"{invocation.canonical} only looks, and {meant.canonical} does not",
            fix=[meant.canonical],
        )
    said = invocation.options
    options = replace(
        meant.options,
        dry_run=said.dry_run,
        output=said.output,
        wait=meant.options.wait if said.wait is None else said.wait,
    )
    return replace(meant, options=options)


def run(tx: Tx, invocation: Invocation, registry: Registry, origin: Origin) -> Reply:
    """Run one resolved command inside a unit: rights, consent, then its handler.

    Raises: any Problem of the command; what the handler did is undone by then.
    """
    authorise(invocation.command, tx.principal)
    context = Context(tx=tx, invocation=invocation, registry=registry, origin=origin)
    if invocation.options.dry_run:
        return _rehearse(context)
    confirm.require_step_up(context)
    if origin.approval:
        return _run_approved(context)
    demand = waiting.demand_of(context)
    if demand is None and confirm.is_harmless(invocation):
        with tx.attempt():
            result = _call(context)
        return _reply(result)
    return _run_guarded(context, demand)


def settle(tx: Tx, invocation: Invocation, outcome: Reply | Problem | None) -> Reply:
    """Answer with what an asynchronous command said before this unit.

    Raises: the Problem that it said; Conflict when it was not run, because only the
            unit found out that it was meant.
    """
    authorise(invocation.command, tx.principal)
    if invocation.options.dry_run:
        return Reply(
            summary=f"Would run {invocation.canonical}"[:150],
            blocks=_plan(invocation, (), None),
            data={"dry_run": True},
        )
    if outcome is None:
        raise Conflict(
            f"{invocation.canonical} has to be asked for by itself",
            fix=[invocation.canonical],
        )
    return _reply(outcome)


def _run_guarded(context: Context, demand: Demand | None) -> Reply:
    """Run what needs consent, or have it wait for whom it also needs."""
    try:
        with context.tx.attempt():
            confirm.require_consent(context)
            result = _call(context) if demand is None else _held(context, demand)
    except NeedsConfirmation:
        # What cannot work is refused now, not when confirmed.
        would = _rehearse(context)
        return confirm.propose(context, would=would)
    return _reply(result)


def _held(context: Context, demand: Demand) -> Reply:
    _rehearse(context)  # Nobody is to approve what cannot work.
    return waiting.ask(context, demand)


def _run_approved(context: Context) -> Reply:
    """Run what other people approved, and use the approval up whatever comes of it."""
    if refused := waiting.begin(context):
        raise refused
    with context.tx.attempt():
        result = _call(context)
    return _reply(result)


def _call(context: Context) -> Reply | Problem:
    asked = context.invocation
    result = asked.command.handler(context, **asked.args)
    return result if isinstance(result, Reply | Problem) else as_reply(result)


def _reply(result: Reply | Problem) -> Reply:
    """Raise a Problem that was returned: it refuses, but what was done stays."""
    if isinstance(result, Problem):
        raise result
    return result


def as_reply(result: str | Mapping[str, Json] | Sequence[Json] | Block) -> Reply:
    """Turn whatever a handler may return into a Reply.

    Raises: TypeError for anything else, which is a fault of the command.
    """
    match result:
        case str():
            summary = result[:150] if result.strip() else "Done"
            return Reply(
                summary=summary, blocks=(Text(md=result),), data={"text": result}
            )
        case Mapping():
            return Reply(summary="Done", data=dict(result))
        case Sequence():
            return Reply(summary=f"{len(result)} items", data={"items": list(result)})
    if isinstance(result, Block):
        return Reply(summary="Done", blocks=(result,))
    raise TypeError(f"a command cannot return {type(result).__name__}")


def _rehearse(context: Context) -> Reply:
    """Run the handler, keep what it said and would have recorded, undo the rest."""
    tx, asked = context.tx, context.invocation
    demand = waiting.demand_of(context)
    mark = len(tx.drafts)
    with tx.attempt() as attempt:
        reply = mask(asked.command, _reply(_call(context)))
        events = [draft for draft in tx.drafts[mark:] if isinstance(draft, EventDraft)]
        attempt.undo()
    return replace(
        reply,
        summary=f"Would: {reply.summary}"[:150],
        blocks=(*_plan(asked, events, demand), *reply.blocks),
        undo=None,
        data={
            **reply.data,
            "dry_run": True,
            "plan": {
                "command": asked.canonical,
                "danger": confirm.danger_of(asked).value,
                "scope": asked.command.scope,
                "approvals": waiting.plan_of(demand),
                "events": [{"event": e.type, "target": e.target} for e in events],
            },
        },
    )


def _plan(
    asked: Invocation, events: Sequence[EventDraft], demand: Demand | None
) -> Sequence[Block]:
    who = f" It would wait for {waiting.people(demand)}." if demand else ""
    lines = [f"{event.type} {event.target}".rstrip() for event in events]
    return (
        Text(
            md=f"Dry run of `{asked.canonical}` ({confirm.danger_of(asked).value}); "
            f"nothing was changed.{who}"
        ),
        *((Code(text="\n".join(lines)),) if lines else ()),
    )
