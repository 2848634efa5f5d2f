"""OpenAPI descriptions of the page of simulators and its calls."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from gateway.simulators.acts import Delivery, SlackAct, WrittenMail

Schema = dict[str, Any]

_ERRORS = {
    400: "A value does not fit",
    401: "No valid credential",
    403: "It needs the scope channels:write",
    404: "Demo mode is off, or there is no such thing on the screen",
    409: "The present state forbids it",
    413: "The body is too large",
    415: "The body is not JSON",
    503: "The simulator does not run",
}
_TOLD: Schema = {"type": "object", "additionalProperties": True}
_WHO: Schema = {
    "name": "who",
    "in": "query",
    "required": False,
    "schema": {"enum": ["ann", "bob"], "default": "ann"},
}


def simulator_paths(problem: Schema) -> Schema:
    """Describe the page, its files, and what it calls."""
    absent = {"application/problem+json": {"schema": problem}}
    page = _open("simulators", "All channels side by side, simulated.", "text/html")
    page["responses"]["404"]["content"] |= absent
    file = _open("simulators_file", "A script or style of that page.", "text/plain")
    file["responses"]["404"] = {"description": "No such file", "content": absent}
    named = {
        "name": "file",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
    }
    state = _call("simulators_state", "What ann or bob sees.", problem)
    return {
        "/simulators": {"get": page},
        "/simulators/{file}": {"get": {**file, "parameters": [named]}},
        "/simulators/api/state": {"get": {**state, "parameters": [_WHO]}},
        "/simulators/api/slack": {
            "post": {
                **_call("simulators_slack", "Act in the simulated Slack.", problem),
                "requestBody": _body(SlackAct),
            }
        },
        "/simulators/api/mail": {
            "post": {
                **_call("simulators_mail", "Write a mail to the gateway.", problem),
                "requestBody": _body(WrittenMail),
            }
        },
        "/simulators/api/webhook": {
            "post": {
                **_call(
                    "simulators_webhook", "Sign a delivery as its sender.", problem
                ),
                "requestBody": _body(Delivery),
            }
        },
    }


def _open(name: str, summary: str, media_type: str) -> Schema:
    text = {media_type: {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["simulators"],
        "security": [],
        "responses": {
            "200": {"description": summary, "content": text},
            "404": {"description": "Demo mode is off", "content": {**text}},
        },
    }


def _call(name: str, summary: str, problem: Schema) -> Schema:
    told = {"application/json": {"schema": _TOLD}}
    refused = {"application/problem+json": {"schema": problem}}
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["simulators"],
        "security": [{"bearer": []}, {"apiKey": []}],
        "responses": {
            "200": {"description": summary, "content": told},
            **{
                str(status): {"description": text, "content": refused}
                for status, text in _ERRORS.items()
            },
        },
    }


@cache
def _body(kind: Any) -> Schema:
    adapter = TypeAdapter[Any](kind)
    schema = adapter.json_schema(ref_template="#/{model}")
    definitions: Schema = schema.pop("$defs", {})
    schema.pop("discriminator", None)
    options = schema.get("oneOf")
    if options:
        schema["oneOf"] = [definitions[each["$ref"][2:]] for each in options]
    return {"required": True, "content": {"application/json": {"schema": schema}}}
