"""The line that a schedule keeps: understood and checked now, run at each moment."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from commands import bus
from commands.binder import read_tokens
from commands.context import Context
from commands.invocation import Invocation
from commands.mentions import resolve_people
from commands.names import index_of
from commands.parser import parse, parse_call
from commands.plan import Plan
from commands.references import resolve_references
from commands.render import as_json
from commands.schema import Kind, Parameter
from commands.times import parse_time
from commands.tokens import command_start, tokenise
from commands.values import Caller
from commands.webhook_maps import require_runnable
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, NotRunnable, Problem
from core.schedules.model import Order

# A moment that is another one when it is read so much later was meant as relative.
_LATER = timedelta(days=8)


def order_of(ctx: Context, line: str) -> Order:
    """Understand the line of a schedule, in the name of who makes it.

    Shape:  what `this`, `#3` and `me` mean is settled now; a relative time is kept as it
            was written, and counts from each moment.
    Raises: UnknownCommand, UnknownFlag, InvalidArgument, MissingScope, NotFound;
            NotRunnable for what cannot be taken back, is for a person to decide, or
            tells a secret.
    """
    asked = _understood(ctx, line)
    command = asked.command
    require_runnable(ctx, command, by="schedule")
    if command.tells_secret:
        raise NotRunnable(
            f"{command.name} tells a secret, and nobody hears what a schedule is told",
            fix=["choose another command"],
            argument="line",
        )
    _require_storable(asked)
    given: dict[str, Json] = {
        each.name: as_json(asked.args[each.name])
        for each in command.parameters
        if each.name in asked.given
    }
    given |= _relative_times(ctx, line, given)
    if asked.options.reason and "reason" not in given:
        given["reason"] = asked.options.reason
    return Order(line=line.strip(), command=command.name, arguments=given)


def why_it_fails(ctx: Context, order: Order) -> str:
    """Say why a line would be refused if it ran now, "" when it would not be.

    It is rehearsed like a dry run: what it does is undone, and nothing is confirmed.
    """
    try:
        asked = parse_call(
            order.command,
            order.arguments,
            ctx.registry,
            now=ctx.tx.now,
            timezone=ctx.origin.timezone,
            me=ctx.principal.name,
        )
        if not asked.command.is_async:
            dry = replace(asked, options=replace(asked.options, dry_run=True))
            bus.run(ctx.tx, dry, ctx.registry, ctx.origin)
    except Problem as problem:
        return problem.detail
    return ""


def _understood(ctx: Context, line: str) -> Invocation:
    if not line.strip() or "\n" in line.strip():
        raise InvalidArgument(
            "a schedule runs one line",
            fix=['schedule add "task list" --every 1h', "make a schedule for each"],
            argument="line",
        )
    origin = ctx.origin
    asked = parse(
        line,
        ctx.registry,
        now=ctx.tx.now,
        timezone=origin.timezone,
        me=ctx.principal.name,
        this=origin.this,
    )
    if asked.command.is_macro:
        return asked
    known = resolve_references(ctx.tx, asked, origin)
    return resolve_people(ctx.tx, known, origin)


def _require_storable(asked: Invocation) -> None:
    """Refuse flags that are meant for one moment, and secrets."""
    options, command = asked.options, asked.command
    flags = {
        "--dry-run": options.dry_run,
        "--yes": options.yes,
        "--confirm": bool(options.confirm),
        "--if-match": bool(options.if_match),
    }
    for flag in (each for each, is_given in flags.items() if is_given):
        raise InvalidArgument(
            f"{flag} is said for one moment, so no schedule keeps it",
            fix=[f"leave {flag} out of the line", "say it after the quotes"],
            argument="line",
        )
    for each in command.parameters:
        if each.is_secret and each.name in asked.given:
            raise InvalidArgument(
                f"{each.flag} of {command.name} is a secret, and no schedule keeps one",
                fix=["store it first, and name it in the line"],
                argument="line",
            )


def _relative_times(
    ctx: Context, line: str, given: Mapping[str, Json]
) -> dict[str, Json]:
    """Read the times of a line as they were written, where that is relative."""
    start, _ = command_start(line)
    tokens = tokenise(line, start).tokens
    found = index_of(ctx.registry).find(tokens, ctx.origin.this)
    if found is None:
        return {}
    plan, used = found
    times = [each.name for each in plan.command.parameters if each.kind is Kind.TIME]
    if given.keys().isdisjoint(times):
        return {}
    asker = Caller(ctx.tx.now, ctx.origin.timezone, ctx.principal.name)
    said = read_tokens(_unread(plan), line, tokens, used=used, caller=asker)
    return {
        name: said[name]
        for name in times
        if isinstance(said.get(name), str) and _is_relative(ctx, said[name])
    }


def _is_relative(ctx: Context, text: str) -> bool:
    now, zone = ctx.tx.now, ctx.origin.timezone
    first = parse_time(text, now=now, timezone=zone)
    return first != parse_time(text, now=now + _LATER, timezone=zone)


def _unread(plan: Plan) -> Plan:
    """Make the plan of a command that takes its times as texts."""
    as_texts: dict[str, Any] = {
        "named": {name: _text(each) for name, each in plan.named.items()},
        "spelled": {name: _text(each) for name, each in plan.spelled.items()},
        "positional": [_text(each) for each in plan.positional],
    }
    return replace(plan, **as_texts)


def _text(parameter: Parameter) -> Parameter:
    is_time = parameter.kind is Kind.TIME
    return replace(parameter, kind=Kind.TEXT) if is_time else parameter
