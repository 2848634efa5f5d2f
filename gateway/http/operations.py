"""OpenAPI descriptions of the hand-written routes: commands, health, documentation."""

from typing import Any

from pydantic import TypeAdapter

from core.kernel.reply import Block, ErrorInfo, ReplyStatus, Undo

Schema = dict[str, Any]

_SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"apiKey": []}]
_REPLY = "#/components/schemas/Reply"
_REPLIED = {
    200: "Done, or a dry run",
    202: "It goes on as a run",
    400: "The line or a value is not valid",
    401: "No valid credential",
    403: "A scope or assurance is missing",
    404: "Absent, or another tenant's",
    409: "The present state forbids it, or confirmation is needed",
    412: "Changed since it was read",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "The idempotency key belongs to another request",
    428: "If-Match is required",
    429: "A rate limit is used up",
    500: "A fault of ours",
    503: "Not available now; nothing was stored",
}
_OF_DELIVERIES = (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
_ID: Schema = {
    "type": "string",
    "maxLength": 255,
    "description": "An idempotency key; the header of that name does as well",
}
_LINE_COMMAND: Schema = {
    "type": "object",
    "properties": {"line": {"type": "string", "maxLength": 8192}, "id": _ID},
    "required": ["line"],
    "additionalProperties": False,
}
_JSON_COMMAND: Schema = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "minLength": 1, "description": "`task create`"},
        "args": {"type": "object", "description": "Arguments by name"},
        "id": _ID,
    },
    "required": ["command"],
    "additionalProperties": False,
}
_BATCH: Schema = {
    "type": "object",
    "properties": {
        "lines": {
            "anyOf": [
                {
                    "type": "array",
                    "items": {"type": "string"},
                    "minItems": 1,
                    "maxItems": 10,
                },
                {"type": "string", "description": "A script, one command a line"},
            ]
        },
        "keep_going": {"type": "boolean", "default": False},
        "id": _ID,
    },
    "required": ["lines"],
    "additionalProperties": False,
}
_TRANSCRIPT: Schema = {
    "type": "object",
    "properties": {
        "summary": {"type": "string"},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "line": {"type": "string"},
                    "outcome": {
                        "enum": [
                            "ok",
                            "failed",
                            "running",
                            "needs_confirmation",
                            "not_run",
                        ]
                    },
                    "reply": {"$ref": _REPLY},
                },
                "required": ["line", "outcome"],
            },
        },
    },
    "required": ["summary", "results"],
}


def reply_schemas() -> Schema:
    """Describe the Reply envelope and what it is made of, as components."""
    blocks = _component(TypeAdapter[Block](Block))
    undo, error = _component(TypeAdapter(Undo)), _component(TypeAdapter(ErrorInfo))
    definitions: Schema = blocks.pop("$defs", {})
    text: Schema = {"type": "string"}
    reply = {
        **dict.fromkeys(("id", "request_id", "command", "summary"), text),
        **dict.fromkeys(("url", "actor", "channel"), text),
        "status": {"enum": [each.value for each in ReplyStatus]},
        "replayed": {"type": "boolean"},
        "blocks": {"type": "array", "items": blocks},
        "data": {"type": "object"},
        "undo": {"anyOf": [undo, {"type": "null"}]},
        "error": {"anyOf": [error, {"type": "null"}]},
    }
    return {**definitions, "Reply": _object(reply)}


def _component(adapter: TypeAdapter[Any]) -> Schema:
    return adapter.json_schema(
        ref_template="#/components/schemas/{model}", mode="serialization"
    )


def command_paths(_: Schema) -> Schema:
    """Describe the two doors that take command lines; they always answer Replies."""
    reply = {"$ref": _REPLY}
    refused = {status: text for status, text in _REPLIED.items() if status >= 400}
    return {
        "/v1/commands": {
            "post": {
                **_operation(
                    "command", "Run one command, as a line or as JSON.", "commands"
                ),
                "security": _SECURITY,
                "parameters": _command_headers(),
                "requestBody": _body(
                    {"oneOf": [_LINE_COMMAND, _JSON_COMMAND]},
                    line={"line": 'task create "Fix login" --lane B'},
                    json={"command": "task.create", "args": {"title": "Fix login"}},
                ),
                "responses": {
                    str(status): _json(text, reply) for status, text in _REPLIED.items()
                },
            }
        },
        "/v1/commands/batch": {
            "post": {
                **_operation(
                    "batch", "Run up to 10 lines, one after the other.", "commands"
                ),
                "security": _SECURITY,
                "parameters": _command_headers(),
                "requestBody": _body(_BATCH, batch={"lines": ["whoami", "task list"]}),
                "responses": {
                    "200": _json("What became of every line", _TRANSCRIPT),
                    **{
                        str(status): _json(text, reply)
                        for status, text in refused.items()
                    },
                },
            }
        },
    }


def webhook_paths(problem: Schema) -> Schema:
    """Describe the door that programs of others deliver to."""
    receipt = _object({"request_id": {"type": "string"}, "url": {"type": "string"}})
    refused = {
        status: text for status, text in _REPLIED.items() if status in _OF_DELIVERIES
    }
    return {
        "/v1/channels/webhook/{endpoint}": {
            "post": {
                **_operation(
                    "webhook_deliver",
                    "Take a delivery, store it, then run it.",
                    "webhook",
                ),
                "security": [*_SECURITY, {}],
                "parameters": [
                    {
                        "name": "endpoint",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string"},
                    }
                ],
                "requestBody": _delivered(),
                "responses": {
                    "200": _json(
                        "Delivered before; the stored answer", {"$ref": _REPLY}
                    ),
                    "202": _json("On disk", receipt),
                    **{
                        str(status): _content(text, "application/problem+json", problem)
                        for status, text in refused.items()
                    },
                },
            }
        },
    }


def health_paths(_: Schema) -> Schema:
    """Describe the probes; none needs a credential."""
    alive = _object({"status": {"const": "ok"}})
    ready = _object(
        {"status": {"enum": ["ready", "not_ready"]}, "checks": {"type": "object"}}
    )
    state = {"enum": ["ok", "degraded"]}
    health = _object(
        {
            "status": state,
            "components": {"type": "object", "additionalProperties": state},
            "failing": {"type": "object"},
            "timestamp": {"type": "string", "format": "date-time"},
        }
    )
    summed = "Sum up the parts: ok, or degraded and why."
    return {
        "/healthz": {
            "get": _open(
                "healthz",
                "Tell that the process lives.",
                "health",
                _json("It does", alive),
            )
        },
        "/readyz": {
            "get": _open(
                "readyz",
                "Tell whether commands can be taken now.",
                "health",
                _json("They can", ready),
                unready=_json("A part is not ready", ready),
            )
        },
        "/health": {
            "get": _open("health", summed, "health", _json("The parts", health))
        },
        "/api/health": {
            "get": _open("api_health", summed, "health", _json("The parts", health))
        },
        "/metrics": {
            "get": _open(
                "metrics",
                "Expose all counters to Prometheus.",
                "health",
                _content("Counters", "text/plain", {"type": "string"}),
            )
        },
    }


def docs_paths(problem: Schema) -> Schema:
    """Describe where this description, its page and the links of replies are found."""
    page = _content("The page", "text/html", {"type": "string"})
    missing = _content("No such page", "application/problem+json", problem)
    error = _open("docs_error", "What an error means.", "docs", page)
    reply = _open(
        "reply_link",
        "How to read a reply, a run or anything else by its id.",
        "reply",
        page,
    )
    return {
        "/openapi.json": {
            "get": _open(
                "openapi",
                "This document.",
                "docs",
                _json("OpenAPI 3.1", {"type": "object"}),
            )
        },
        "/docs": {"get": _open("docs", "Read this document as a page.", "docs", page)},
        "/docs/errors/{code}": {"get": _of_one(error, "code", missing)},
        "/r/{reply}": {"get": _of_one(reply, "reply", missing)},
    }


def _of_one(operation: Schema, parameter: str, missing: Schema) -> Schema:
    """Describe a page that there is for each of many things, and not for others."""
    return {
        **operation,
        "responses": {**operation["responses"], "404": missing},
        "parameters": [
            {
                "name": parameter,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
            }
        ],
    }


def _operation(name: str, summary: str, tag: str) -> Schema:
    return {"operationId": name, "summary": summary, "tags": [tag]}


def _open(
    name: str, summary: str, tag: str, answer: Schema, *, unready: Schema | None = None
) -> Schema:
    answers = {"200": answer, **({"503": unready} if unready else {})}
    return {**_operation(name, summary, tag), "security": [], "responses": answers}


def _command_headers() -> list[Schema]:
    names = ("Idempotency-Key", "X-Opswire-Conversation")
    return [
        {"name": each, "in": "header", "required": False, "schema": {"type": "string"}}
        for each in names
    ]


def _body(schema: Schema, **examples: object) -> Schema:
    shown = {name: {"value": value} for name, value in examples.items()}
    content = {"application/json": {"schema": schema, "examples": shown}}
    return {"required": True, "content": content}


def _delivered() -> Schema:
    """Describe what others may deliver: JSON, a form, or nothing at all."""
    described = _body({}, push={"ref": "main"})
    form = {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}
    return {"required": False, "content": {**described["content"], **form}}


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _json(description: str, schema: Schema) -> Schema:
    return _content(description, "application/json", schema)


def _content(description: str, media_type: str, schema: Schema) -> Schema:
    return {"description": description, "content": {media_type: {"schema": schema}}}
