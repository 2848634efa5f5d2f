"""Answers that were stored, for those who may read them again."""

from collections.abc import Iterator

from commands.context import Context
from commands.registry import Registry
from core.delivery import inbox
from core.kernel.jsons import Json, parse_json
from core.kernel.problems import NotFound

_MOST_WORDS = 4


def get_(ctx: Context, reply_id: str) -> dict[str, Json]:
    """Get a stored reply by its own id or its request's.

    Raises: NotFound, also when the caller may not read it.
    """
    found = find(ctx, reply_id)
    if found is None:
        raise NotFound(f"the reply {reply_id[:40]}", fix=["audit list"])
    return found


def find(ctx: Context, reply_id: str) -> dict[str, Json] | None:
    """Find a stored reply that the caller may read; None as well while it waits.

    Whoever asked may, and whoever holds the scope of each command in it. What is open
    to everybody is answered to one person, and so is what was not understood.
    """
    body = inbox.find_reply(ctx.tx, reply_id)
    if not body:
        return None
    stored = parse_json(body)
    if not isinstance(stored, dict):
        raise TypeError("a stored reply is an object")
    return stored if may_read(ctx, stored) else None


def may_read(ctx: Context, stored: dict[str, Json]) -> bool:
    """Tell whether the caller may read a reply that was stored, as JSON."""
    return stored["actor"] == ctx.principal.name or _may_read(ctx, stored)


def _may_read(ctx: Context, stored: dict[str, Json]) -> bool:
    scopes = [_scope_of(ctx.registry, line) for line in _lines(stored)]
    may_all = all(scope and ctx.principal.may(scope) for scope in scopes)
    return bool(scopes) and may_all


def _lines(stored: dict[str, Json]) -> Iterator[str]:
    """Yield the commands that a reply answers; several lines make a transcript."""
    items = stored["data"].get("items") if isinstance(stored["data"], dict) else None
    if stored["command"] or not isinstance(items, list):
        yield str(stored["command"])
        return
    for each in items:
        yield str(each.get("command", "")) if isinstance(each, dict) else ""


def _scope_of(registry: Registry, line: str) -> str:
    """Name the scope of a canonical line; "" when no scope lets others read it."""
    words = line.split()
    for count in range(min(len(words), _MOST_WORDS), 0, -1):
        command = registry.find(" ".join(words[:count]))
        if command is not None:
            return "" if command.is_open else command.scope
    return ""
