"""What the arguments of commands may hold, in the words of JSON Schema.

The services refuse what does not fit; this only says so before anybody tries.
"""

from collections.abc import Mapping
from typing import Any

from commands.registry import Command
from commands.schema import Kind, Parameter
from core.collab.tasks.fields import (
    BODY_LIMIT,
    LABEL_LIMIT,
    MANY,
    NAME_LIMIT,
    NOTE_LIMIT,
    PRIORITY_LIMIT,
    REASON_LIMIT,
    TEXT_LIMIT,
    TITLE_LIMIT,
)
from core.kernel.pages import PAGE_LIMIT

Schema = dict[str, Any]

_BREAKS = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_LINE = rf"^[^\x00{_BREAKS}]*$"
_VISIBLE_LINE = rf"^[^\x00{_BREAKS}]*[^\x00\s{_BREAKS}][^\x00{_BREAKS}]*$"
_TEXT = r"^[^\x00]*$"

_TIME: Schema = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$"},
    ],
    "description": "ISO 8601, or how long ago: 15m",
}
_DURATION: Schema = {
    "anyOf": [
        {"type": "string", "pattern": "^[1-9][0-9]{0,3}[smhd]$"},
        {"type": "number", "exclusiveMinimum": 0},
    ],
    "description": "15m, 2h, or seconds",
}


def _line(limit: int, *, least: int = 1) -> Schema:
    pattern = _VISIBLE_LINE if least else _LINE
    return {
        "type": "string",
        "minLength": least,
        "maxLength": limit,
        "pattern": pattern,
    }


def _text(limit: int) -> Schema:
    return {"type": "string", "maxLength": limit, "pattern": _TEXT}


def _lines(limit: int) -> Schema:
    return {"type": "array", "items": _line(limit), "maxItems": MANY}


_LIMIT: Schema = {"type": "integer", "minimum": 1, "maximum": PAGE_LIMIT}
_OF_TASKS: Mapping[str, Schema] = {
    "title": _line(TITLE_LIMIT),
    "body": _text(BODY_LIMIT),
    "assignee": _line(NAME_LIMIT, least=0),
    "priority": {
        "type": "integer",
        "minimum": -PRIORITY_LIMIT,
        "maximum": PRIORITY_LIMIT,
    },
    "labels": _lines(LABEL_LIMIT),
    "dod": _lines(TEXT_LIMIT),
    "reason": _text(REASON_LIMIT),
    "text": _text(NOTE_LIMIT),
    "limit": _LIMIT,
}
_OF_ALL: Mapping[str, Schema] = {"limit": _LIMIT}


def argument_schema(command: Command, parameter: Parameter, given: Schema) -> Schema:
    """Describe one argument; `given` is what its type alone says."""
    bounds = (_OF_TASKS if command.noun == "task" else _OF_ALL).get(parameter.name)
    described = dict(bounds) if bounds else _of_kind(parameter, given)
    for keyword in ("default", "description"):
        if keyword in given:
            described[keyword] = given[keyword]
    if parameter.kind is Kind.DURATION:
        described.pop("default", None)
    return described


def _of_kind(parameter: Parameter, given: Schema) -> Schema:
    own = _OF_KIND.get(parameter.kind)
    if parameter.kind is Kind.REF and (parameter.is_required or parameter.is_list):
        own = {"type": "string", "pattern": rf"^{parameter.prefix}-[1-9][0-9]{{0,17}}$"}
    if own is None:
        return dict(given)
    if parameter.is_list:
        return {**given, "items": own}
    if not parameter.is_required and parameter.default is None:
        return {"anyOf": [own, {"type": "null"}]}
    return dict(own)


_OF_KIND: Mapping[Kind, Schema] = {
    Kind.TIME: _TIME,
    Kind.DURATION: _DURATION,
    Kind.INTEGER: {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
}
