"""A tool: something that a job may be given to work with; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.kernel.jsons import Json, canonical_json
from core.kernel.names import require_name
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.texts import require_line

COLLECTION = "tools"
MOST = 200
SCHEMA_BYTES = 8_192

_DESCRIPTION_LIMIT = 300
_DEEPEST = 20
ANYTHING: Mapping[str, Json] = {"type": "object", "properties": {}}


class ToolKind(StrEnum):
    """How whoever works on a job would reach a tool."""

    FUNCTION = "function"
    API = "api"
    MCP = "mcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """An entry of the registry.

    Shape:  `parameters` is a JSON schema of an object. One that is not `is_enabled` is
            given to no new job.
    """

    name: str
    description: str = ""
    kind: ToolKind = ToolKind.FUNCTION
    parameters: Mapping[str, Json] = field(default_factory=lambda: ANYTHING)
    is_enabled: bool = True
    author: str = ""
    changed_at: datetime | None = None


def checked(tool: Tool) -> Tool:
    """Return a tool that can be stored and offered.

    Raises: InvalidArgument naming the field and the fix.
    """
    require_name("a tool", tool.name, such_as="search-docs")
    require_line("description", tool.description, limit=_DESCRIPTION_LIMIT, least=0)
    _check_schema(tool.parameters)
    return tool


def unknown(name: str) -> NotFound:
    """Say that there is no such tool."""
    return NotFound(f"the tool {name[:40]}", fix=["tool list"])


def _check_schema(schema: Mapping[str, Json]) -> None:
    whole = dict(schema)
    size = len(canonical_json(whole))
    if size > SCHEMA_BYTES:
        raise _misfit(
            f"the parameters have {size} bytes", f"use at most {SCHEMA_BYTES}"
        )
    if _depth(whole) > _DEEPEST:
        raise _misfit(
            f"the parameters are nested more than {_DEEPEST} deep", "make them flatter"
        )
    if schema.get("type") != "object":
        raise _misfit(
            "the parameters of a tool are an object", 'begin with {"type": "object"}'
        )
    if b"$ref" in canonical_json(whole):
        raise _misfit("the parameters refer to another schema", "write it out instead")
    # Importing it takes as long as half a start, and few processes need it.
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415

    try:
        Draft202012Validator.check_schema(whole)
    except SchemaError as fault:
        place = "/".join(str(part) for part in fault.absolute_path) or "the schema"
        raise _misfit(
            f"the parameters are no JSON schema: {place[:80]} is wrong",
            "see json-schema.org, draft 2020-12",
        ) from fault


def _depth(value: Json) -> int:
    """Count how deep a value is nested, without a call for each level."""
    deepest, waiting = 0, [(value, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(node, dict):
            waiting.extend((each, depth + 1) for each in node.values())
        elif isinstance(node, list):
            waiting.extend((each, depth + 1) for each in node)
    return deepest


def _misfit(why: str, fix: str) -> InvalidArgument:
    return InvalidArgument(why, fix=[fix], argument="parameters")
