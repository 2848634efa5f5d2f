"""The OpenAPI document: routes written by hand, and those that commands declare."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from commands.registry import Command, Registry, Route
from commands.schema import Parameter
from gateway.http.argument_schemas import argument_schema
from gateway.http.artifacts_openapi import artifact_paths
from gateway.http.auth_openapi import auth_paths
from gateway.http.operations import (
    command_paths,
    docs_paths,
    health_paths,
    reply_schemas,
    webhook_paths,
)
from gateway.http.resources import AS, QUERY_FLAGS
from gateway.http.simulators_openapi import simulator_paths
from gateway.http.stream_openapi import stream_paths

Schema = dict[str, Any]

_ABOUT = "One typed command language for operations, on every channel."
_PATH_NAME = re.compile(r"{(\w+)(?::\w+)?}")
_PROBLEM: Schema = {"$ref": "#/components/schemas/Problem"}
_FLAGS: Schema = {
    "dry_run": {"type": "boolean", "description": "Show the effect, change nothing"},
    "confirm": {"type": "string", "description": "A proposal's token, or the id"},
    "reason": {"type": "string", "description": "Why, for the audit"},
    "wait": {
        "type": "string",
        "pattern": "^[1-9][0-9]{0,2}[sm]$",
        "description": "How long the answer may wait for the end of what it begins: 90s",
    },
}
_AS: Schema = {
    "name": AS,
    "in": "query",
    "required": False,
    "description": "Answer with the data instead of the file; so does Accept",
    "schema": {"const": "json"},
}
_PROBLEM_DETAILS: Schema = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "fix": {"type": "array", "items": {"type": "string"}},
        "request_id": {"type": "string"},
    },
    "required": ["type", "title", "status", "detail", "code", "fix", "request_id"],
}

_ERRORS = {
    401: "No valid credential",
    403: "A scope or assurance is missing",
    404: "Absent, or another tenant's",
    409: "The present state forbids it, or confirmation is needed",
    429: "A rate limit is used up",
    503: "Not available now; nothing was stored",
}
_BODY_ERRORS = {
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A value in the body does not fit",
}
_IF_MATCH_ERRORS = {412: "Changed since it was read", 428: "If-Match is required"}
_EVERYWHERE = {
    400: "Not valid HTTP or JSON, or a query parameter does not fit",
    405: "Allow names the methods that this path takes",
    408: "The request came too slowly",
    431: "The headers are too large",
    500: "A fault of ours",
}

# Every route that is no command is described by one of these, or does not exist.
HANDWRITTEN: Sequence[Callable[[Schema], Schema]] = (
    command_paths,
    webhook_paths,
    auth_paths,
    artifact_paths,
    stream_paths,
    health_paths,
    docs_paths,
    simulator_paths,
)


def document(registry: Registry, *, version: str) -> Schema:
    """Describe the whole API, every operation with every status it may answer."""
    paths = _handwritten()
    for command in registry:
        for number, route in enumerate(command.routes):
            described = operation(command, route)
            described["operationId"] = _operation_id(command, number)
            paths.setdefault(_path_of(route), {})[route.method.lower()] = described
    for methods in paths.values():
        for each in methods.values():
            each["responses"] = {**_problems(_EVERYWHERE), **each["responses"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Opswire", "version": version, "description": _ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Problem": _PROBLEM_DETAILS, **reply_schemas()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def outline(registry: Registry) -> Schema:
    """Name every path with its methods; describing them takes far longer."""
    paths = _handwritten()
    for command in registry:
        for route in command.routes:
            paths.setdefault(_path_of(route), {})[route.method.lower()] = {}
    return paths


def operation(command: Command, route: Route) -> Schema:
    """Describe one route: parameters, body, answers, errors, security."""
    in_path = set(_PATH_NAME.findall(route.path))
    inlined = _inline(command.model.model_json_schema())
    properties = {
        each.name: argument_schema(command, each, inlined[each.name])
        for each in command.parameters
    }
    described: Schema = {
        "parameters": _parameters(command, route, properties),
        "responses": _responses(command, route),
        "description": _description(command),
        "summary": command.summary,
        "tags": [command.noun],
        "security": [{"bearer": []}, {"apiKey": []}],
        "x-command": command.name,
        "x-danger": command.danger.value,
        "x-scope": command.scope,
    }
    if route.method != "GET":
        described["requestBody"] = _body(command, properties, in_path)
    return described


def _handwritten() -> Schema:
    paths: Schema = {}
    for describe in HANDWRITTEN:
        paths |= describe(_PROBLEM)
    return paths


def _path_of(route: Route) -> str:
    return _PATH_NAME.sub(r"{\1}", route.path)


def _operation_id(command: Command, number: int) -> str:
    name = command.name.replace(" ", "_").replace("-", "_")
    return name if number == 0 else f"{name}_{number + 1}"


def _description(command: Command) -> str:
    line = f"\n\nCommand: `{command.examples[0]}`" if command.examples else ""
    return f"{command.doc}{line}"


def _inline(schema: Schema) -> dict[str, Schema]:
    """Return the property schemas with their local definitions put in place."""
    definitions: dict[str, Schema] = schema.get("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rsplit("/", 1)[-1]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(each) for each in node] if isinstance(node, list) else node

    return {
        name: resolve(value) for name, value in schema.get("properties", {}).items()
    }


# ── what is sent ──────────────────────────────────────────────────────────────
def _parameters(
    command: Command, route: Route, properties: Mapping[str, Schema]
) -> list[Schema]:
    in_path = _PATH_NAME.findall(route.path)
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": properties[name]}
        for name in in_path
    ]
    if route.method == "GET" or command.file:
        found += [
            _query(each, properties[each.name])
            for each in command.parameters
            if each.name not in in_path
        ]
    if route.method == "GET":
        found.append(_header("If-None-Match", "An ETag that the caller has already"))
    else:
        found.append(
            _header("Idempotency-Key", "The same key again gives the same answer")
        )
        found += [_flag(name) for name in QUERY_FLAGS]
    if command.file:
        found.append(_AS)
    if command.if_match:
        header = _header("If-Match", "The ETag of the version to be changed")
        found.append({**header, "required": command.if_match == "required"})
    return found


def _query(parameter: Parameter, schema: Schema) -> Schema:
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "schema": _in_text(schema),
        **({"style": "form", "explode": True} if parameter.is_list else {}),
    }


def _flag(name: str) -> Schema:
    """Describe a flag in the query, where it may stand instead of in the body."""
    return {"name": name, "in": "query", "required": False, "schema": _FLAGS[name]}


def _in_text(schema: Schema) -> Schema:
    """Leave out of a query parameter's schema what a query cannot say: null."""
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    rest = {
        name: value
        for name, value in schema.items()
        if name not in ("anyOf", "default")
    }
    if not options:
        return rest
    return {**options[0], **rest} if len(options) == 1 else {**rest, "anyOf": options}


def _header(name: str, description: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def _body(
    command: Command, properties: Mapping[str, Schema], in_path: set[str]
) -> Schema:
    own = {name: each for name, each in properties.items() if name not in in_path}
    required = [
        each.name
        for each in command.parameters
        if each.is_required and each.name not in in_path
    ]
    schema: Schema = {
        "type": "object",
        "properties": {**_FLAGS, **own},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    return {
        "required": bool(required),
        "content": {"application/json": {"schema": schema}},
    }


# ── what is answered ──────────────────────────────────────────────────────────
def _responses(command: Command, route: Route) -> Schema:
    errors = dict(_ERRORS)
    if route.method != "GET":
        errors |= _BODY_ERRORS
    if command.if_match:
        errors |= _IF_MATCH_ERRORS
    answers = _problems(errors)
    answers[str(command.status)] = _success(command)
    if command.status != 200 and not command.is_read:
        answers["200"] = {
            **_success(command),
            "description": "A dry run: nothing changed",
        }
    if route.method == "GET":
        answers["304"] = {"description": "Unchanged since If-None-Match"}
    return answers


def _problems(statuses: Mapping[int, str]) -> Schema:
    return {
        str(status): {
            "description": text,
            "content": {"application/problem+json": {"schema": _PROBLEM}},
        }
        for status, text in sorted(statuses.items())
    }


def _success(command: Command) -> Schema:
    schema: Schema = {"type": "object"}
    if command.result is not None:
        schema = TypeAdapter(command.result).json_schema()
        definitions = schema.pop("$defs", {})
        schema = _inline({"properties": {"it": schema}, "$defs": definitions})["it"]
    content: Schema = {"application/json": {"schema": schema}}
    if command.file:
        binary = {"type": "string", "format": "binary"}
        content["application/octet-stream"] = {"schema": binary}
    return {"description": command.summary, "content": content}
