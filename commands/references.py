"""`last`, `this` and `#3`: what they mean in this conversation."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from commands.context import Origin
from commands.invocation import Invocation
from commands.render import render_line
from commands.words import is_reference
from core.database import Tx
from core.delivery import conversations
from core.delivery.model import Memory
from core.kernel.problems import InvalidArgument


def refers_back(invocation: Invocation) -> bool:
    """Tell whether what is meant depends on what was said before."""
    command, args = invocation.command, invocation.args
    if command.is_macro or command.looks_back:
        return True
    return any(_has_reference(args.get(name)) for name in command.ref_names)


def resolve_references(tx: Tx, invocation: Invocation, origin: Origin) -> Invocation:
    """Replace conversational references by the ids they stand for.

    Shape:  `this` is what the thread, subject or page is about, and what was touched
            last where it is about nothing.
    Raises: InvalidArgument when the conversation has no such object.
    """
    names = [
        name
        for name in invocation.command.ref_names
        if _has_reference(invocation.args.get(name))
    ]
    if not names:
        return invocation
    memory = conversations.recall(tx, origin.place)
    args: Mapping[str, Any] = {
        **invocation.args,
        **{
            name: _resolved(invocation.args[name], memory, origin.this)
            for name in names
        },
    }
    return replace(
        invocation, args=args, canonical=render_line(invocation.command, args)
    )


def resolve_word(tx: Tx, word: str, origin: Origin) -> str:
    """Find the id that one word stands for in this conversation.

    Raises: InvalidArgument when it has no such object.
    """
    return str(_resolved(word, conversations.recall(tx, origin.place), origin.this))


def _has_reference(value: object) -> bool:
    if isinstance(value, str):
        return is_reference(value)
    return isinstance(value, tuple | list) and any(
        _has_reference(each) for each in value
    )


def _resolved(value: Any, memory: Memory, this: str) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_resolved(each, memory, this) for each in value)
    if not _has_reference(value):
        return value
    if value == "this" and this:
        return this
    return _row(value, memory) if value.startswith("#") else _last(value, memory)


def _last(word: str, memory: Memory) -> str:
    if not memory.last_id:
        raise InvalidArgument(
            f"'{word}' has no meaning here yet: nothing was touched in this conversation",
            fix=["name the object by its id"],
        )
    return memory.last_id


def _row(word: str, memory: Memory) -> str:
    digits = word[1:]
    number = int(digits) if digits.isdecimal() and len(digits) < 6 else 0
    if not 1 <= number <= len(memory.listed_ids):
        raise InvalidArgument(
            f"'{word}' is not a row of the last list here ({len(memory.listed_ids)} rows)",
            fix=["list again, then use a row's number"],
        )
    return memory.listed_ids[number - 1]
