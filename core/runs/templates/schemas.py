"""JSON schemas, draft 2020-12, without what looks elsewhere or takes endless time.

Patterns are matched by an engine whose time grows with the text alone; it knows neither
lookaround nor back references. No schema refers to another one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError

from core.kernel.jsons import Json, canonical_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_VALUES = frozenset({"const", "default", "enum", "examples"})
_REFUSED: Mapping[str, str] = {
    "patternProperties": "name each property under properties:",
    "format": "say it with pattern:, enum:, minimum: or maxLength:",
}
_MESSAGE_LIMIT = 200

MOST_PARTS = 1_000
"""How large a schema may be; checking one takes a while."""


class Fault(NamedTuple):
    """Why a value or a schema is not valid; `path` leads to the place."""

    path: tuple[str | int, ...]
    text: str
    fix: str
    keyword: str = ""


def faults_of_schema(schema: Json) -> Iterator[Fault]:
    """Yield what is wrong with a schema."""
    found = list(_refused_in(schema, ()))
    if size_of(schema) > MOST_PARTS:
        fix = f"use at most {MOST_PARTS} keywords and values in all"
        found = [Fault((), "it is too large", fix)]
    yield from found
    if not found:
        yield from _faults(_meta(), schema, fix="see json-schema.org, draft 2020-12")
        yield from _pattern_faults(schema, ())


def faults_of(schema: Mapping[str, Json], value: Json) -> Iterator[Fault]:
    """Yield where a value does not fit a schema that has no faults."""
    yield from _faults(_validator_class()(schema), value, fix="")


def size_of(value: Json) -> int:
    """Count the values in a value, itself included."""
    return 1 + sum(size_of(each) for _, each in _members(value))


def is_match(pattern: str, text: str) -> bool:
    """Tell whether a pattern is found in a text."""
    try:
        _matcher(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def written(path: Iterable[str | int]) -> str:
    """Write a path: `tags[0].name`."""
    text = "".join(
        f"[{each}]" if isinstance(each, int) else f".{each}" for each in path
    )
    return text.removeprefix(".")


def _faults(validator: "Validator", value: Json, *, fix: str) -> Iterator[Fault]:
    for error in validator.iter_errors(value):
        text = error.message
        short = f"{text[:_MESSAGE_LIMIT]}…" if len(text) > _MESSAGE_LIMIT else text
        yield Fault(tuple(error.absolute_path), short, fix, str(error.validator))


def _refused_in(schema: Json, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Yield the keywords that are not taken here."""
    for key, each in _members(schema):
        place = (*path, key)
        if isinstance(schema, list) or (path and path[-1] == "properties"):
            yield from _refused_in(each, place)
        elif str(key).startswith("$"):
            yield Fault(place, "a schema stands for itself here", f"leave {key} out")
        elif key in _REFUSED:
            yield Fault(place, f"{key} is not checked here", _REFUSED[str(key)])
        elif key not in _VALUES:
            yield from _refused_in(each, place)


def _pattern_faults(schema: Json, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Yield the patterns that cannot be matched."""
    for key, each in _members(schema):
        place = (*path, key)
        is_keyword = not (path and path[-1] == "properties")
        if is_keyword and key == "pattern" and isinstance(each, str):
            yield from _pattern_fault(each, place)
        elif not (is_keyword and key in _VALUES):
            yield from _pattern_faults(each, place)


def _pattern_fault(pattern: str, path: tuple[str | int, ...]) -> Iterator[Fault]:
    try:
        _matcher(pattern)
    except SchemaError:
        yield Fault(
            path,
            f"{pattern[:60]!r} is no pattern that can be matched",
            "use a regular expression without lookaround and back references",
        )


def _members(value: Json) -> Iterable[tuple[str | int, Json]]:
    if isinstance(value, dict):
        return list[tuple[str | int, Json]](value.items())
    return list(enumerate(value)) if isinstance(value, list) else ()


@cache
def _matcher(pattern: str) -> TypeAdapter[str]:
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


@cache
def _meta() -> "Validator":
    # Importing it takes as long as the rest of a start, and few runs need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415

    return Draft202012Validator(Draft202012Validator.META_SCHEMA)


@cache
def _validator_class() -> "type[Validator]":
    # For the same reason.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415
    from jsonschema.exceptions import ValidationError as Invalid  # noqa: PLC0415

    def pattern(_: Any, wanted: str, text: Any, __: Any) -> Iterator[Invalid]:
        if isinstance(text, str) and not is_match(wanted, text):
            yield Invalid(f"{text!r} does not match {wanted!r}")

    def unique(_: Any, wanted: bool, listed: Any, __: Any) -> Iterator[Invalid]:  # noqa: FBT001 - so it is called
        # Theirs compares each with each where there is no order.
        if wanted and isinstance(listed, list):
            seen = {canonical_json(each) for each in listed}
            if len(seen) < len(listed):
                yield Invalid("it has the same element twice")

    extend: Callable[..., type[Validator]] = validators.extend
    return extend(Draft202012Validator, {"pattern": pattern, "uniqueItems": unique})
