"""`last`, `this`, `#3` and `key:…`: which objects they mean, here and elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from commands.context import Origin
from commands.invocation import Invocation
from commands.render import render_line
from commands.words import is_reference
from core.collab import tasks
from core.database import Tx
from core.delivery import conversations
from core.delivery.model import Memory
from core.kernel.problems import InvalidArgument

_KEY = "key:"


def refers_back(invocation: Invocation) -> bool:
    """Tell whether what is meant depends on what was said before."""
    command, args = invocation.command, invocation.args
    if command.is_macro or command.looks_back:
        return True
    return any(_has(is_reference, args.get(name)) for name in command.ref_names)


def resolve_references(tx: Tx, invocation: Invocation, origin: Origin) -> Invocation:
    """Replace references by the ids they stand for.

    Shape:  `this` is what the thread, subject or page is about, and what was touched
            last where it is about nothing. `key:K` is the task that another system
            calls K.
    Raises: InvalidArgument when the conversation has no such object, NotFound when no
            task has the key.
    """
    args: dict[str, Any] = {
        **_by_key(tx, invocation),
        **_by_conversation(tx, invocation, origin),
    }
    if not args:
        return invocation
    known: Mapping[str, Any] = {**invocation.args, **args}
    return replace(
        invocation, args=known, canonical=render_line(invocation.command, known)
    )


def resolve_word(tx: Tx, word: str, origin: Origin) -> str:
    """Find the id that one word stands for in this conversation.

    Raises: InvalidArgument when it has no such object.
    """
    return str(_resolved(word, conversations.recall(tx, origin.place), origin.this))


def _by_conversation(tx: Tx, invocation: Invocation, origin: Origin) -> dict[str, Any]:
    args = invocation.args
    names = [
        each
        for each in invocation.command.ref_names
        if _has(is_reference, args.get(each))
    ]
    if not names:
        return {}
    memory = conversations.recall(tx, origin.place)
    return {name: _resolved(args[name], memory, origin.this) for name in names}


def _by_key(tx: Tx, invocation: Invocation) -> dict[str, Any]:
    args = invocation.args
    return {
        each.name: _keyed(tx, args[each.name])
        for each in invocation.command.parameters
        if each.prefix == "T" and _has(_is_key, args.get(each.name))
    }


def _keyed(tx: Tx, value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_keyed(tx, each) for each in value)
    if not _has(_is_key, value):
        return value
    return tasks.get_by_key(tx, value.removeprefix(_KEY)).id


def _is_key(word: str) -> bool:
    return word.startswith(_KEY)


def _has(is_meant: Callable[[str], bool], value: object) -> bool:
    if isinstance(value, str):
        return is_meant(value)
    return isinstance(value, tuple | list) and any(
        _has(is_meant, each) for each in value
    )


def _resolved(value: Any, memory: Memory, this: str) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(_resolved(each, memory, this) for each in value)
    if not _has(is_reference, value):
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
