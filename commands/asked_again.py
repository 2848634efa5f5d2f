"""Reads that are asked for again and again, word for word, are understood once."""

from datetime import datetime

from commands.alias_book import NO_ALIASES, Book
from commands.invocation import Invocation
from commands.parser import parse
from commands.registry import Registry
from commands.schema import Kind
from core.database.memo import Memo

_MOST_CHARS = 200


def parse_again(
    text: str,
    registry: Registry,
    *,
    now: datetime,
    timezone: str = "UTC",
    me: str = "",
    this: str = "",
    aliases: Book = NO_ALIASES,
) -> Invocation:
    """Understand a line as `parse` does, or remember what it meant the last time.

    Shape:  only lines that look, and that mean the same at any moment, are remembered:
            dashboards and agents poll with them.
    Raises: as `parse`.
    """
    memo = registry.derive(_memo_of)
    key = text, timezone, me, this
    known = memo.find(key)
    if isinstance(known, Invocation):
        return known
    invocation = parse(
        text,
        registry,
        now=now,
        timezone=timezone,
        me=me,
        this=this,
        aliases=aliases,
    )
    if len(text) <= _MOST_CHARS and _is_timeless_read(invocation):
        memo.keep(key, invocation)
    return invocation


def _memo_of(_: Registry) -> Memo:
    return Memo()


def _is_timeless_read(invocation: Invocation) -> bool:
    command, given = invocation.command, invocation.given
    if invocation.alias:
        return False  # What a team's own words mean may change, and is theirs alone.
    return command.is_read and not any(
        each.kind is Kind.TIME and each.name in given for each in command.parameters
    )
