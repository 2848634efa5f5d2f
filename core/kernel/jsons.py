"""Strict JSON in, canonical JSON out; the same bytes wherever they are made."""

import orjson

from core.kernel.problems import InvalidJson

DEEPEST = 1_024
"""What the parser bears."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def parse_json(raw: bytes | str) -> Json:
    """Read strict JSON: no NaN, no lone surrogates, no runaway nesting.

    Raises: InvalidJson with the place of the fault.
    """
    try:
        value: Json = orjson.loads(raw)
    except orjson.JSONDecodeError as fault:
        raise _refused(fault) from fault
    return value


def _refused(fault: orjson.JSONDecodeError) -> InvalidJson:
    place = f"at line {fault.lineno} column {fault.colno}"
    if "depth" in fault.msg:
        return InvalidJson(
            f"lists and objects are nested more than {DEEPEST} deep {place}",
            fix=["send them flatter"],
        )
    return InvalidJson(f"{fault.msg} {place}", fix=["send one JSON value in UTF-8"])


def canonical_json(value: object) -> bytes:
    """Write a value with sorted keys, no spaces, UTF-8: equal values, equal bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def to_json(value: object) -> bytes:
    """Write a value (dataclasses included) as compact UTF-8 JSON, keys as they come."""
    return orjson.dumps(value)
