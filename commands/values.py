"""One argument's value: from text or from JSON to what its model will validate."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

import orjson

from commands.schema import Kind, Parameter
from commands.suggest import nearest
from commands.times import parse_duration, parse_time, seconds
from commands.words import id_in, shown
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_WORDS_OF_TRUTH = {
    "true": True,
    "yes": True,
    "on": True,
    "false": False,
    "no": False,
    "off": False,
}


class Caller(NamedTuple):
    """Who writes, when and where: what `me`, `15m`, `9am`, `this` are relative to."""

    now: datetime
    timezone: str
    me: str
    this: str = ""


def from_text(
    parameter: Parameter, text: str, *, caller: Caller, is_quoted: bool = False
) -> Any:
    """Turn one text into a value that fits the parameter, or one element of its list.

    Shape:  what the strict model accepts as JSON; datetimes as they are. An id is
            repaired unless it was quoted.
    Raises: InvalidArgument quoting the text.
    """
    if parameter.kind is Kind.TEXT or (parameter.kind is Kind.REF and is_quoted):
        return text
    return _FROM_TEXT[parameter.kind](parameter, text, caller)


def from_json(parameter: Parameter, value: Json, *, caller: Caller) -> Any:
    """Turn a JSON value into one that fits the parameter; types are strict.

    Shape:  as from_text. What has the wrong type is left to the model to refuse.
    Raises: InvalidArgument quoting the value.
    """
    if parameter.is_list and isinstance(value, list):
        return [_element(parameter, each, caller) for each in value]
    return _element(parameter, value, caller)


def refuse(
    parameter: Parameter, text: str, what: str, fix: tuple[str, ...] = ()
) -> InvalidArgument:
    """Build the refusal of a text that is not what its parameter wants."""
    said = "what was given" if parameter.is_secret else shown(text)
    return InvalidArgument(
        f"{said} is not {what} for {parameter.flag}",
        fix=fix or (f"give {parameter.flag} {what}",),
        argument=parameter.name,
    )


def unknown_choice(parameter: Parameter, text: str) -> InvalidArgument:
    """Build the refusal of a word that is none of the choices, with the nearest."""
    close = nearest(text, parameter.choices)
    return InvalidArgument(
        f"{shown(text)} for {parameter.flag} is not one of "
        f"{', '.join(parameter.choices)}",
        fix=[f"{parameter.flag} {each}" for each in close or parameter.choices],
        argument=parameter.name,
        suggestions=close,
    )


def _integer(parameter: Parameter, text: str, _: Caller) -> int:
    number = int(text) if _WHOLE.fullmatch(text) else None
    if number is None or not -(2**63) <= number < 2**63:
        raise refuse(parameter, text, "a whole number")
    return number


def _number(parameter: Parameter, text: str, _: Caller) -> float:
    number = float(text) if _DECIMAL.fullmatch(text) else None
    if number is None or not isfinite(number):
        raise refuse(parameter, text, "a number")
    return number


def _flag(parameter: Parameter, text: str, _: Caller) -> bool:
    truth = _WORDS_OF_TRUTH.get(text.lower())
    if truth is None:
        raise refuse(parameter, text, "true or false")
    return truth


def _choice(parameter: Parameter, text: str, _: Caller) -> str:
    if text in parameter.choices:
        return text
    choice = _choices(tuple(parameter.choices)).get(_folded(text))
    if choice is None:
        raise unknown_choice(parameter, text)
    return choice


@lru_cache(maxsize=1_024)
def _choices(choices: tuple[str, ...]) -> Mapping[str, str]:
    return {_folded(each): each for each in reversed(choices)}


def _folded(text: str) -> str:
    return text.casefold().replace("_", "-").replace(" ", "-")


def _time(parameter: Parameter, text: str, caller: Caller) -> datetime:
    is_past = parameter.name == "since"
    return parse_time(text, now=caller.now, timezone=caller.timezone, is_past=is_past)


def _duration(_: Parameter, text: str, __: Caller) -> str:
    return _iso_duration(parse_duration(text).total_seconds())


def _object(_: Parameter, text: str, __: Caller) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _ref(_: Parameter, text: str, __: Caller) -> str:
    return id_in(text) or text


def _person(parameter: Parameter, text: str, caller: Caller) -> str:
    name = text.lstrip("@")
    if not name:
        raise refuse(parameter, text, "a person's name")
    return caller.me if name == "me" and caller.me else name


def _text(_: Parameter, text: str, __: Caller) -> str:
    return text


_FROM_TEXT: Mapping[Kind, Callable[[Parameter, str, Caller], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.NUMBER: _number,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.TIME: _time,
    Kind.DURATION: _duration,
    Kind.OBJECT: _object,
    Kind.REF: _ref,
    Kind.PERSON: _person,
}


def _element(parameter: Parameter, value: Json, caller: Caller) -> Any:
    match parameter.kind, value:
        case Kind.TIME, str():
            return _time(parameter, value, caller)
        case Kind.DURATION, str():
            return _duration(parameter, value, caller)
        case Kind.DURATION, int() | float() if not isinstance(value, bool):
            return _iso_duration(seconds(value).total_seconds())
        case Kind.PERSON, str():
            return _person(parameter, value, caller)
        case Kind.CHOICE, str() if value not in parameter.choices:
            raise unknown_choice(parameter, value)
    return value


def _iso_duration(length_s: float) -> str:
    return f"PT{length_s:.6f}S"
