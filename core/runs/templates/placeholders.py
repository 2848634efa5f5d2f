"""Where the values of parameters go: `{{ params.name }}`."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from core.kernel.jsons import Json, canonical_json

_PLACEHOLDER = re.compile(r"\{\{\s*params\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_OPEN = re.compile(r"\{\{")


class Use(NamedTuple):
    """A parameter that is used somewhere; "" for braces that are no placeholder."""

    path: str
    name: str


def names_in(text: str) -> list[str]:
    """List the parameters that a text uses."""
    return _PLACEHOLDER.findall(text)


def has_strays(text: str) -> bool:
    """Tell whether there are braces that are no placeholder."""
    return bool(_OPEN.search(_PLACEHOLDER.sub("", text)))


def uses_in(value: Json, path: str) -> Iterator[Use]:
    """Yield each use of a parameter in a value, keys excepted."""
    if isinstance(value, str):
        yield from (Use(path, name) for name in names_in(value))
        if has_strays(value):
            yield Use(path, "")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from uses_in(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from uses_in(each, f"{path}[{place}]")


def put_in(value: Json, params: Mapping[str, Json]) -> Json:
    """Put parameters into a value; what is put in is never read again.

    Shape:  a text that is one placeholder and nothing else becomes the parameter, of
            its own type; in a longer text it is written.
    """
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value)
        return params.get(whole[1]) if whole else written_in(value, params)
    if isinstance(value, dict):
        return {key: put_in(each, params) for key, each in value.items()}
    if isinstance(value, list):
        return [put_in(each, params) for each in value]
    return value


def written_in(text: str, params: Mapping[str, Json]) -> str:
    """Put parameters into a text that stays a text."""
    return _PLACEHOLDER.sub(lambda found: written(params.get(found[1])), text)


def written(value: Json) -> str:
    """Write a parameter: a text as it is, nothing as "", all else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_json(value).decode()
