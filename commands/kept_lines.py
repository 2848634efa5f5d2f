"""How dangerous a command is that keeps a line for later: as dangerous as that line."""

from dataclasses import replace
from datetime import datetime

from commands.context import Origin
from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Danger, Registry
from core.kernel.problems import Problem

_CALM = (Danger.READ, Danger.WRITE)


def weigh(
    asked: Invocation, registry: Registry, *, now: datetime, origin: Origin
) -> Invocation:
    """Mark a command that keeps a risky line, so that it is confirmed as such.

    A line that cannot be understood is left to the command, which refuses it.
    """
    line = str(asked.args.get(asked.command.keeps_line) or "")
    if not line:
        return asked
    try:
        kept = parse(line, registry, now=now, timezone=origin.timezone)
    except Problem:
        return asked
    is_bulk = not kept.given.isdisjoint(kept.command.bulk)
    is_risky = is_bulk or kept.command.danger not in _CALM
    return replace(asked, is_risky=is_risky)
