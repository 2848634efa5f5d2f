"""OpenAPI descriptions of resource routes, read off the commands they reach."""

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from commands.registry import Command, Danger, Registry, Route
from commands.schema import Parameter
from gateway.http.auth_openapi import auth_paths
from gateway.http.stream_openapi import stream_paths

Schema = dict[str, Any]

_PATH_NAME = re.compile(r"{(\w+)(?::\w+)?}")

PROBLEM_SCHEMA: Schema = {
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
    400: "Malformed request",
    401: "No valid credential",
    403: "A scope or assurance is missing",
    404: "Absent, or another tenant's",
    409: "The present state forbids it, or confirmation is needed",
    413: "The body is too large",
    429: "A rate limit is used up",
    500: "A fault of ours",
    503: "Not available now; nothing was stored",
}
_BODY_ERRORS = {422: "A value in the body does not fit"}
_IF_MATCH_ERRORS = {412: "Changed since it was read", 428: "If-Match is required"}


def document(api: FastAPI, registry: Registry) -> Schema:
    """Describe the whole API: FastAPI's own routes, /auth, and one operation per command route."""
    whole = get_openapi(
        title=api.title, version=api.version, description=api.description,
        routes=api.routes,
    )
    paths: Schema = whole.setdefault("paths", {})
    for command in registry:
        for number, route in enumerate(command.routes):
            described = operation(command, route)
            described["operationId"] = _operation_id(command, number)
            paths.setdefault(route.path, {})[route.method.lower()] = described
    paths |= auth_paths(PROBLEM_SCHEMA) | stream_paths(PROBLEM_SCHEMA)
    whole.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    return whole


def _operation_id(command: Command, number: int) -> str:
    name = command.name.replace(" ", "_").replace("-", "_")
    return name if number == 0 else f"{name}_{number + 1}"


def operation(command: Command, route: Route) -> Schema:
    """Describe one route: parameters, body, answers, errors, security."""
    in_path = set(_PATH_NAME.findall(route.path))
    arguments = command.model.model_json_schema(ref_template="#/components/schemas/{model}")
    properties = _inline(arguments)
    described: Schema = {
        "parameters": _parameters(command, route, properties),
        "responses": _responses(command),
        "description": _description(command),
        "summary": command.summary,
        "tags": [command.noun],
        "security": [{"bearer": []}, {"apiKey": []}],
        "x-command": command.name,
        "x-danger": command.danger.value,
        "x-scope": command.scope,
    }
    if route.method not in ("GET",):
        described["requestBody"] = _body(command, properties, in_path)
    return described


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

    return {name: resolve(value) for name, value in schema.get("properties", {}).items()}


def _parameters(
    command: Command, route: Route, properties: dict[str, Schema]
) -> list[Schema]:
    in_path = set(_PATH_NAME.findall(route.path))
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_NAME.findall(route.path)
    ]
    if route.method == "GET":
        found += [
            _query(each, properties[each.name])
            for each in command.parameters
            if each.name not in in_path
        ]
        found.append(_header("If-None-Match", "An ETag that the caller has already"))
    else:
        found.append(_header("Idempotency-Key", "The same key again gives the same answer"))
    if command.if_match:
        found.append(_header("If-Match", "The ETag of the version to be changed"))
    return found


def _query(parameter: Parameter, schema: Schema) -> Schema:
    return {
        "name": parameter.name, "in": "query", "required": parameter.is_required,
        "schema": schema,
    }


def _header(name: str, description: str) -> Schema:
    return {
        "name": name, "in": "header", "required": False, "description": description,
        "schema": {"type": "string"},
    }


def _body(command: Command, properties: dict[str, Schema], in_path: set[str]) -> Schema:
    fields = {name: each for name, each in properties.items() if name not in in_path}
    fields["dry_run"] = {"type": "boolean", "description": "Show the effect, change nothing"}
    if command.danger in (Danger.RISKY, Danger.DESTRUCTIVE):
        fields["confirm"] = {"type": "string", "description": "A proposal's token, or the id"}
    if "reason" not in fields:
        fields["reason"] = {"type": "string", "description": "Why, for the audit"}
    required = [
        each.name
        for each in command.parameters
        if each.is_required and each.name not in in_path
    ]
    schema: Schema = {
        "type": "object", "properties": fields, "additionalProperties": False,
        **({"required": required} if required else {}),
    }
    return {
        "required": bool(required),
        "content": {"application/json": {"schema": schema}},
    }


def _responses(command: Command) -> Schema:
    errors = dict(_ERRORS)
    if not command.is_read:
        errors |= _BODY_ERRORS
    if command.if_match:
        errors |= _IF_MATCH_ERRORS
    answers: Schema = {
        str(status): {
            "description": text,
            "content": {"application/problem+json": {"schema": PROBLEM_SCHEMA}},
        }
        for status, text in sorted(errors.items())
    }
    answers[str(command.status)] = _success(command)
    if command.status != 200 and not command.is_read:
        answers["200"] = {**_success(command), "description": "A dry run: nothing changed"}
    if command.is_read:
        answers["304"] = {"description": "Unchanged since If-None-Match"}
    return answers


def _success(command: Command) -> Schema:
    schema: Schema = {"type": "object"}
    if command.result is not None:
        schema = TypeAdapter(command.result).json_schema()
        definitions = schema.pop("$defs", {})
        schema = _inline({"properties": {"it": schema}, "$defs": definitions})["it"]
    return {
        "description": command.summary,
        "content": {"application/json": {"schema": schema}},
    }
