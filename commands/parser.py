"""From a line, or its JSON form, to one command with validated arguments."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import orjson

from commands.alias_book import NO_ALIASES, Book
from commands.alias_lines import invoke, is_claimed
from commands.binder import Bound, bind_json, bind_tokens
from commands.invocation import Invocation
from commands.names import Index, disabled_by, index_of, not_found, suggestions
from commands.plan import Plan, unknown_key
from commands.registry import Registry
from commands.render import render_line
from commands.tokens import Scan, command_start, split_lines, tokenise
from commands.values import Caller
from commands.words import shown
from core.kernel.jsons import Json
from core.kernel.problems import (
    EmptyLine,
    InvalidArgument,
    Problem,
    UnknownCommand,
)

__all__ = ["parse", "parse_call", "split_lines"]

_MESSAGE_KEYS = ("command", "args", "id")
_HELP_FLAGS = frozenset({"--help", "-h"})
_MESSAGE_FIX = ('send {"command": "task.create", "args": {"title": "Fix login"}}',)


def parse(
    text: str,
    registry: Registry,
    *,
    now: datetime,
    timezone: str = "UTC",
    me: str = "",
    this: str = "",
    aliases: Book = NO_ALIASES,
) -> Invocation:
    """Understand one line, or one message in JSON.

    Shape:  `now` is aware UTC; `timezone` and `me` are the person's. `this` is the id
            of what the line's thread or page is about, "" for nothing. What is no
            command is looked for in `aliases`; the JSON form never is.
    Raises: EmptyLine, NotACommand, UnknownCommand, UnknownFlag, InvalidArgument.
    """
    caller = Caller(now, timezone, me, this)
    start, is_addressed = command_start(text)
    if text.startswith("{", start):
        return _message(text[start:], registry, caller)
    scan = tokenise(text, start)
    if not scan.tokens and scan.fault is None:
        raise EmptyLine("nothing was asked", fix=["help"])
    known = _Known(registry, index_of(registry), aliases)
    return _line(text, scan, known, caller=caller, is_addressed=is_addressed)


def parse_call(
    name: str,
    args: Mapping[str, Json],
    registry: Registry,
    *,
    now: datetime,
    timezone: str = "UTC",
    me: str = "",
) -> Invocation:
    """Understand a command given by name, with its arguments as JSON.

    Shape:  the name is `task.create` or `task create`; global flags are keys of the
            arguments, unless the command has a parameter of that name. Types are
            strict: true is not 1 and "" is not 0.
    Raises: UnknownCommand, UnknownFlag, InvalidArgument.
    """
    return _call(name, args, registry, Caller(now, timezone, me))


class _Known(NamedTuple):
    """Everything that a line may be."""

    registry: Registry
    names: Index
    aliases: Book


def _line(
    text: str, scan: Scan, known: _Known, *, caller: Caller, is_addressed: bool
) -> Invocation:
    tokens = scan.tokens
    found = known.names.find(tokens, caller.this) if tokens else None
    if found is None:
        meant = _other(text, scan, known, caller)
        if meant is None:
            raise _unknown(text, scan, known, is_addressed=is_addressed)
        return meant
    plan, used = found
    if scan.fault:
        raise _open_secret(plan) if plan.has_secrets else scan.fault
    if "help" not in plan.named and _is_help(scan, used):
        return parse(f"help {plan.command.name}", known.registry, now=caller.now)
    return _invocation(plan, bind_tokens(plan, text, tokens, used=used, caller=caller))


def _other(text: str, scan: Scan, known: _Known, caller: Caller) -> Invocation | None:
    """Understand what is no command by itself; None when it is nothing else either."""
    tokens, registry = scan.tokens, known.registry
    if len(tokens) > 1 and tokens[0].text.lower() == "plan":
        return _planned(text[tokens[0].end :], known, caller)
    if known.names.refers_back(tokens) and registry.find("refer"):
        return _referring(text[tokens[0].start :], registry, caller)
    if spoken := _spoken(text, scan, known, caller):
        return spoken
    return parse("help", registry, now=caller.now) if _is_help(scan, 0) else None


def _unknown(text: str, scan: Scan, known: _Known, *, is_addressed: bool) -> Problem:
    tokens = scan.tokens
    if scan.fault and not tokens:
        return scan.fault
    own = known.aliases.near(tokens[0].text) if known.aliases else []
    return not_found(known.names, text, tokens, is_addressed=is_addressed, own=own)


def _spoken(text: str, scan: Scan, known: _Known, caller: Caller) -> Invocation | None:
    """Understand a line of the team's own, unless a command has claimed its word."""
    begun = known.aliases.beginning(scan.tokens) if known.aliases else ()
    if not begun or is_claimed(known.names, begun[0].pattern.first):
        return None
    # Inside of a text that is taken as it is, the flag is part of the text.
    ends = [*scan.tokens[1:2], *(() if scan.fault else scan.tokens[-1:])]
    if not _HELP_FLAGS.isdisjoint([each.key for each in ends]):
        return parse(f"help {begun[0].alias.name}", known.registry, now=caller.now)
    heard = known.aliases.hear(text, scan)
    return invoke(heard, known.names, caller) if heard else None


def _planned(text: str, known: _Known, caller: Caller) -> Invocation:
    """Understand `plan <command>`: the command, shown and not done."""
    meant = parse(
        text,
        known.registry,
        now=caller.now,
        timezone=caller.timezone,
        me=caller.me,
        this=caller.this,
        aliases=known.aliases,
    )
    return replace(meant, options=replace(meant.options, dry_run=True))


def _referring(text: str, registry: Registry, caller: Caller) -> Invocation:
    """Understand `claim #2`: only the conversation knows what kind of thing that is."""
    return _call("refer", {"line": text}, registry, caller)


def _open_secret(plan: Plan) -> InvalidArgument:
    """Refuse a line that does not end, without showing where: it may hold a secret."""
    return InvalidArgument("a quote or a JSON object is not closed", fix=plan.help)


def _is_help(scan: Scan, used: int) -> bool:
    return not _HELP_FLAGS.isdisjoint([each.key for each in scan.tokens[used:]])


def _message(text: str, registry: Registry, caller: Caller) -> Invocation:
    """Understand a whole message in JSON: command, args, and its sender's key."""
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as fault:
        raise InvalidArgument(
            f"the message is not JSON at line {fault.lineno} column {fault.colno}",
            fix=_MESSAGE_FIX,
        ) from fault
    for key in message.keys() - set(_MESSAGE_KEYS):
        raise unknown_key(key, _MESSAGE_KEYS)
    name, args, client_key = (
        message.get("command"),
        message.get("args", {}),
        message.get("id", ""),
    )
    if not isinstance(name, str):
        raise InvalidArgument('"command" must name a command', fix=_MESSAGE_FIX)
    if not isinstance(args, dict):
        raise InvalidArgument('"args" must be an object', fix=_MESSAGE_FIX)
    if not isinstance(client_key, str):
        raise InvalidArgument('"id" must be a text', fix=_MESSAGE_FIX)
    return _call(name, args, registry, caller, client_key=client_key)


def _call(
    name: str,
    args: Mapping[str, Json],
    registry: Registry,
    caller: Caller,
    *,
    client_key: str = "",
) -> Invocation:
    index = index_of(registry)
    words = name[:100].lower().replace(".", " ").split()
    plan = index.phrases.get(" ".join(words))
    if plan is None:
        if disabled := disabled_by(index, words):
            raise disabled
        close = suggestions(index, words)
        raise UnknownCommand(
            f"{shown(name)} is not a command", fix=close or ["help"], suggestions=close
        )
    return _invocation(plan, bind_json(plan, args, caller=caller), client_key)


def _invocation(plan: Plan, bound: Bound, client_key: str = "") -> Invocation:
    return Invocation(
        command=plan.command,
        args=bound.args,
        options=bound.options,
        canonical=render_line(plan.command, bound.args),
        given=bound.given,
        client_key=client_key,
    )
