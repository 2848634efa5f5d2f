"""From values back to a line: the one way in which a command is written down."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import orjson

from commands.flags import GLOBALS
from commands.registry import Command
from commands.schema import Kind, Parameter
from commands.times import render_duration, render_time
from commands.words import id_in

_BARE = re.compile(r"[A-Za-z0-9_#][A-Za-z0-9_.:/@+%-]*|-[0-9][0-9.e+-]*")
_PAIR = re.compile(rf"([A-Za-z_][A-Za-z0-9_-]*)=(?:{_BARE.pattern})")
_NAME_LIKE = re.compile(r"[A-Za-z][A-Za-z-]*")
_MOST_WORDS = 100  # a longer list is written as JSON
_ONLY_FLAGS = (Kind.OBJECT, Kind.FLAG)


def render_line(command: Command, args: Mapping[str, Any]) -> str:
    """Write a command with its arguments as one line that parses to the same.

    Shape:  arguments in declared order; those at their default are left out, and so
            are secrets. What no flag can say (nothing, where the default is something)
            stands in a JSON object at the end.
    """
    parts = [command.name]
    nulls: dict[str, None] = {}
    is_in_place = True
    for each in command.parameters:
        value = args.get(each.name, each.default)
        if each.is_secret or (not each.is_required and value == each.default):
            is_in_place = False
        elif value is None:
            nulls[each.name] = None
            is_in_place = False
        elif is_in_place and (words := _positional(command, each, value)):
            parts += words
        else:
            is_in_place = False
            parts += _flagged(each, value)
    if nulls:
        parts.append(_json(nulls))
    line = " ".join(parts)
    return _name_apart(command, line) if " " not in command.name else line


def quote(token: str) -> str:
    """Write a text that reads back as one token: bare if it can be, else quoted."""
    return token if _BARE.fullmatch(token) else _quoted(token)


def as_json(value: Any) -> Any:
    """Turn an argument's value into what JSON can say of it."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return render_time(value)
        case timedelta():
            return render_duration(value)
        case list() | tuple():
            return [as_json(each) for each in value]
    return value


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()


def _positional(command: Command, parameter: Parameter, value: Any) -> Sequence[str]:
    """Write a value that stands without its name; nothing when it cannot."""
    if not parameter.is_positional or parameter.kind in _ONLY_FLAGS:
        return ()
    if not parameter.is_list:
        return (_token(parameter, value),)
    known = _names_of(command)
    places = [each for each in command.parameters if each.is_positional]
    if parameter is not places[-1] or len(value) > _MOST_WORDS:
        return ()
    texts = [_text(each) for each in value]
    if not all(_is_one_item(text) for text in texts):
        return ()
    return [
        text if _is_free_pair(text, known) else _token(parameter, text)
        for text in texts
    ]


def _names_of(command: Command) -> frozenset[str]:
    """List what a word such as `lane=B` would set, rather than stand for itself."""
    return frozenset(each.name for each in (*command.parameters, *GLOBALS))


def _is_free_pair(text: str, known: frozenset[str]) -> bool:
    """Tell whether a text such as `env=prod` reads back as itself without quotes."""
    found = _PAIR.fullmatch(text)
    return found is not None and found[1].lower().replace("-", "_") not in known


def _flagged(parameter: Parameter, value: Any) -> Sequence[str]:
    flag = parameter.flag
    if parameter.kind is Kind.FLAG and isinstance(value, bool):
        return (flag if value else flag.replace("--", "--no-", 1),)
    if parameter.is_list:
        return flag, _list(parameter, value)
    if parameter.kind is not Kind.OBJECT:
        return flag, _token(parameter, value)
    written = _json(value)
    is_json = isinstance(value, dict | list | tuple)
    return flag, written if is_json else _quoted(written)


def _list(parameter: Parameter, values: Sequence[Any]) -> str:
    texts = [_text(each) for each in values] if len(values) <= _MOST_WORDS else ()
    is_plain = all(_is_one_item(each) and _is_bare(parameter, each) for each in texts)
    if texts and is_plain:
        return ",".join(texts)
    return _json(as_json(values))


def _is_one_item(text: str) -> bool:
    return bool(text) and "," not in text and text == text.strip()


def _token(parameter: Parameter, value: Any) -> str:
    text = _text(value)
    return text if _is_bare(parameter, text) else _quoted(text)


def _is_bare(parameter: Parameter, text: str) -> bool:
    if parameter.kind is Kind.REF and id_in(text) not in ("", text):
        return False
    return parameter.kind is not Kind.OBJECT and bool(_BARE.fullmatch(text))


def _text(value: Any) -> str:
    plain = value if type(value) is str else as_json(value)
    return plain if isinstance(plain, str) else _json(plain)


def _name_apart(command: Command, line: str) -> str:
    """Quote a first word that would be read as part of a longer name.

    `cancel R-9` and `list tasks` are rewritten to "noun verb"; only `help` takes names
    as they are.
    """
    first, _, rest = line[len(command.name) + 1 :].partition(" ")
    if command.name == "help" or not (id_in(first) or _NAME_LIKE.fullmatch(first)):
        return line
    return f'{command.name} "{first}" {rest}'.rstrip()
