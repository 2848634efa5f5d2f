"""OpenAPI descriptions of the answers that stay open."""

from collections.abc import Mapping
from typing import Any

from gateway.http.tail_query import PARAMETERS

Schema = dict[str, Any]

_ERRORS = {
    400: "A parameter or header is not valid",
    401: "No valid credential",
    403: "A scope is missing",
    429: "A rate limit is used up",
    503: "Not available now, or too many streams are open",
}
_EVENT: Schema = {
    "type": "object",
    "properties": {
        "seq": {"type": "integer"},
        "ts": {"type": "string", "format": "date-time"},
        "event": {"type": "string"},
        "actor": {"type": "string"},
        "channel": {"type": "string"},
        "target": {"type": "string"},
        "details": {"type": "object"},
    },
    "required": ["seq", "ts", "event", "actor", "channel", "target", "details"],
}
_POLLED: Schema = {
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": _EVENT},
        "next": {"type": "string", "description": "Send it as `since` to go on"},
        "reset": {
            "type": "object",
            "description": "There when events before the first item are missing",
            "properties": {
                name: {"type": "integer"} for name in ("first", "last", "after")
            },
        },
    },
    "required": ["items", "next"],
}
_TAIL = """Events as they happen, as server-sent events: `id` is the event's number, `event` its
type, `data` its JSON. Come back with `Last-Event-ID` and nothing is missed or doubled.
An event called `reset` says that events are missing there. With `wait`, a long poll."""
_FIGURES = """Every two seconds an event `figures`: task_count (open tasks), queue (queued tasks by
lane), runs (queued and held ones by lane), active_workers (workers and agents that take
work now), and of the last minute avg_latency_ms, success_rate, commands,
commands_per_channel."""


def stream_paths(problem: Schema) -> Schema:
    """Describe the paths of the streams; `problem` is the schema of a refusal."""
    tail_answers: Schema = {"text/event-stream": {"schema": {"type": "string"}}}
    tail_answers["application/json"] = {"schema": _POLLED}
    figures = {"text/event-stream": {"schema": {"type": "string"}}}
    return {
        **{
            path: {
                "get": {
                    **_operation(name, _TAIL, "events:read", tail_answers, problem),
                    "summary": "Follow events",
                    "parameters": _tail_parameters(),
                    "tags": ["event"],
                }
            }
            for path, name in TAIL_PATHS.items()
        },
        "/metrics/stream": {
            "get": {
                **_operation(
                    "metrics_stream", _FIGURES, "metrics:read", figures, problem
                ),
                "summary": "Follow the live figures",
                "tags": ["health"],
            }
        },
    }


TAIL_PATHS: Mapping[str, str] = {
    "/collab/events/tail": "event_tail",
    "/events": "event_tail_2",
    "/v1/events": "event_tail_3",
}
"""Where events can be followed, and the operation's name in each place."""


def _operation(
    name: str, description: str, scope: str, answers: Schema, problem: Schema
) -> Schema:
    refusal = {"application/problem+json": {"schema": problem}}
    return {
        "operationId": name,
        "description": description,
        "security": [{"bearer": []}, {"apiKey": []}],
        "x-scope": scope,
        "responses": {
            "200": {"description": "What happens, as it happens", "content": answers},
            **{
                str(status): {"description": text, "content": refusal}
                for status, text in _ERRORS.items()
            },
        },
    }


def _tail_parameters() -> list[Schema]:
    query: list[Schema] = [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": text,
            "schema": {"type": "string"},
        }
        for name, text in PARAMETERS.items()
    ]
    resume = {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "The last id received; goes before `since`",
        "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
    }
    return [*query, resume]
