"""The parameters of a template: what may be given, and what it is then."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from core.kernel.jsons import Json, canonical_json, parse_json
from core.kernel.problems import InvalidJson
from core.runs.templates import schemas
from core.runs.templates.fields import Fields
from core.runs.templates.model import Definition, Flaw, nearest
from core.runs.templates.placeholders import written

MOST_BYTES = 65_536

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_TRUE, _FALSE = ("true", "yes", "on"), ("false", "no", "off")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_DEEPEST = 24
_TOO_LARGE = 2**63
_MOST_WORK = 500_000  # parts of the schema times parts of the values


class Resolved(NamedTuple):
    """The value of each parameter, and what is wrong with any of them."""

    values: Mapping[str, Json]
    flaws: Sequence[Flaw]


def read_schema(fields: Fields) -> dict[str, Json]:
    """Read `params:` and note what is wrong with it; {} when there is none."""
    schema = fields.mapping("params")
    before = len(fields.notes.flaws)
    for fault in _schema_faults(schema):
        place = schemas.written(("params", *fault.path))
        fields.notes.add(place, fault.text, fault.fix)
    if not schema:
        return {}
    if len(fields.notes.flaws) > before:
        # The names are known all the same, so that their uses are no further flaws.
        properties = schema.get("properties")
        return {"properties": properties} if isinstance(properties, dict) else {}
    whole = {**schema, "type": "object", "additionalProperties": False}
    for fault in _default_faults(whole):
        place = schemas.written(("params", "properties", *fault.path))
        fields.notes.add(place, fault.text, fault.fix)
    return whole


def resolve(definition: Definition, given: Mapping[str, Json]) -> Resolved:
    """Make the values of all parameters, checked by the template's schema.

    Shape:  a text becomes what its parameter is: a number, true or false, a list of
            what stands between commas. What is not given has its default.
    """
    if unfit := list(_unfit(definition, given)):
        return Resolved({}, unfit)
    unknown = list(_unknown(definition, given))
    values = {
        name: coerced(given[name], schema) if name in given else _default(schema)
        for name, schema in definition.properties.items()
        if name in given or _has_default(schema)
    }
    return Resolved(values, [*unknown, *_flaws(definition, values)])


def coerced(value: Json, schema: Json) -> Json:
    """Make of a text what a schema asks for; anything else stays as it is."""
    if not isinstance(value, str) or not isinstance(schema, dict):
        return value
    kinds = _kinds(schema)
    if not kinds:
        choices = schema.get("enum")
        listed = choices if isinstance(choices, list) else []
        return next((each for each in listed if written(each) == value), value)
    if "string" in kinds:
        return value
    for kind in kinds:
        made = _made(value.strip(), kind, schema)
        if made is not None:
            return made
    return None if "null" in kinds and value in ("", "null") else value


def _made(text: str, kind: str, schema: Mapping[str, Json]) -> Json:
    """Read a text as one kind of value; None when it is none."""
    match kind:
        case "integer":
            return int(text) if _INTEGER.fullmatch(text) else None
        case "number":
            return _number(text)
        case "boolean":
            word = text.casefold()
            return True if word in _TRUE else False if word in _FALSE else None
        case "array":
            return _listed(text, schema)
        case "object":
            return _json(text) if text.startswith("{") else None
        case _:
            return None


def _number(text: str) -> Json:
    if _INTEGER.fullmatch(text):
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _listed(text: str, schema: Mapping[str, Json]) -> Json:
    if text.startswith("["):
        return _json(text)
    parts = [part.strip() for part in text.split(",")] if text else []
    return [coerced(part, schema.get("items")) for part in parts]


def _json(text: str) -> Json:
    try:
        return parse_json(text)
    except InvalidJson:
        return None


def _kinds(schema: Mapping[str, Json]) -> Sequence[str]:
    kind = schema.get("type")
    listed = kind if isinstance(kind, list) else [kind] if kind else []
    return [str(each) for each in listed]


def _has_default(schema: Json) -> bool:
    return isinstance(schema, dict) and "default" in schema


def _default(schema: Json) -> Json:
    return schema.get("default") if isinstance(schema, dict) else None


def _schema_faults(schema: Mapping[str, Json]) -> Iterator[schemas.Fault]:
    if not schema:
        return
    yield from schemas.faults_of_schema(dict(schema))
    if schema.get("type", "object") != "object":
        yield schemas.Fault(("type",), "parameters are an object", "leave type: out")
    if schema.get("additionalProperties", False) is not False:
        yield schemas.Fault(
            ("additionalProperties",),
            "what is not declared is always refused",
            "declare each parameter under properties:",
        )
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        yield schemas.Fault(
            ("properties",),
            "nothing is declared",
            "params: {properties: {env: {type: string}}}",
        )
        return
    yield from _name_faults(properties)
    yield from _required_faults(schema, properties)


def _name_faults(properties: Mapping[str, Json]) -> Iterator[schemas.Fault]:
    seen: dict[str, str] = {}
    for name in properties:
        at = ("properties", name)
        if not _NAME.fullmatch(name):
            fix = f"write {re.sub('[^A-Za-z0-9_]', '_', name)[:40]}"
            yield schemas.Fault(at, "it names no parameter", fix)
        if first := seen.get(name.upper()):
            why = f"it is {first} again for the environment"
            yield schemas.Fault(at, why, "use names that differ in more than case")
        seen[name.upper()] = name


def _required_faults(
    schema: Mapping[str, Json], properties: Mapping[str, Json]
) -> Iterator[schemas.Fault]:
    required = schema.get("required", [])
    for each in required if isinstance(required, list) else []:
        if each not in properties:
            near = nearest(str(each), properties)
            fix = f"write {near}" if near else "declare it under properties:"
            yield schemas.Fault(("required",), f"{each} is not declared", fix)


def _default_faults(schema: Mapping[str, Json]) -> Iterator[schemas.Fault]:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    for name, each in properties.items():
        if isinstance(each, dict) and "default" in each:
            for fault in schemas.faults_of(each, each["default"]):
                fix = "give a default that fits, or none"
                yield schemas.Fault((name, "default"), fault.text, fix)


def _unknown(definition: Definition, given: Mapping[str, Json]) -> Iterator[Flaw]:
    known = definition.properties
    for name in given:
        if name not in known:
            near = nearest(name, known)
            names = ", ".join(known) or "none"
            fix = f"{near}=…" if near else f"the parameters are: {names}"
            yield Flaw(field=name, text="there is no such parameter", fix=fix)


def _unfit(definition: Definition, given: Mapping[str, Json]) -> Iterator[Flaw]:
    """Yield why parameters are not even looked at."""
    for name, value in given.items():
        if not _is_storable(value, 0):
            yield Flaw(
                field=name,
                text="it holds what cannot be stored, or is nested too deep",
                fix="leave NUL, lone surrogates and numbers beyond 64 bits out",
            )
            return
    if (
        schemas.size_of(dict(definition.params)) * schemas.size_of(dict(given))
        > _MOST_WORK
    ):
        yield Flaw(
            field="",
            text="there is too much to check in the parameters",
            fix="give large things as files",
        )
    elif len(canonical_json(given)) > MOST_BYTES:
        yield Flaw(
            field="",
            text="the parameters are longer than 64 KiB",
            fix="give large things as files",
        )


def _is_storable(value: Json, depth: int) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        pairs = value.items()
        return all(_is_storable(each, depth + 1) for pair in pairs for each in pair)
    if isinstance(value, list):
        return all(_is_storable(each, depth + 1) for each in value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < _TOO_LARGE
    return not (isinstance(value, str) and _UNSTORABLE.search(value))


def _flaws(definition: Definition, values: Mapping[str, Json]) -> Iterator[Flaw]:
    missing = [each for each in definition.required if each not in values]
    for name in missing:
        schema = _as_mapping(definition.properties.get(name))
        yield Flaw(field=name, text="it is missing", fix=_such_as(name, schema))
    if not definition.params:
        return
    for fault in schemas.faults_of(definition.params, dict(values)):
        if fault.keyword == "required" and not fault.path:
            continue
        name = str(fault.path[0]) if fault.path else ""
        schema = _as_mapping(definition.properties.get(name))
        fix = _such_as(name, schema, near=values.get(name)) if name else "see params:"
        yield Flaw(field=schemas.written(fault.path), text=fault.text, fix=fix)


def _such_as(name: str, schema: Mapping[str, Json], *, near: Json = None) -> str:
    """Write how a parameter is given: with the nearest choice, or an example."""
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        words = [written(each) for each in choices]
        return f"{name}={nearest(written(near), words) or '|'.join(words)[:80]}"
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        return f"{name}={written(examples[0])[:80]}"
    kinds = _kinds(schema)
    return f"{name}=<{' or '.join(kinds) or 'value'}>"


def _as_mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
