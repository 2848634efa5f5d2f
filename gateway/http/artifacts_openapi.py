"""OpenAPI descriptions of how contents of artifacts come and go."""

from typing import Any

from gateway.downloads import DOWNLOAD_PATH
from gateway.http.artifacts import CONTENT_PATH, UPLOAD_PATH

Schema = dict[str, Any]

_BINARY: Schema = {"type": "string", "format": "binary"}
_DOWN = {
    400: "A header is not valid",
    401: "No valid credential",
    403: "A scope is missing",
    404: "Absent, or another tenant's",
    409: "The content is not there yet",
    429: "A rate limit is used up",
    503: "Not available now",
}
_UP = {
    400: "Not what was announced, or without Content-Length",
    404: "No such link",
    409: "Nothing is waited for any more",
    410: "The link has expired",
    413: "More than was announced",
    503: "Not available now",
}
_LINKED = {
    404: "No such link, or the file is not kept any more",
    409: "The content is not there",
    410: "The link has expired",
    429: "The link is used too often",
    503: "Not available now",
}
_ARTIFACT: Schema = {
    "type": "object",
    "properties": {
        name: {"type": kind}
        for name, kind in (
            ("id", "string"),
            ("subject", "string"),
            ("attempt", "integer"),
            ("name", "string"),
            ("kind", "string"),
            ("state", "string"),
            ("size_bytes", "integer"),
            ("sha256", "string"),
            ("is_partial", "boolean"),
            ("url", "string"),
            ("created_at", "string"),
        )
    },
}


def artifact_paths(problem: Schema) -> Schema:
    """Describe the routes; `problem` is the schema of a refusal."""
    return {
        CONTENT_PATH: {"get": _content(problem)},
        UPLOAD_PATH: {"put": _upload(problem)},
        DOWNLOAD_PATH: {"get": _download(problem)},
    }


def _content(problem: Schema) -> Schema:
    file = {"application/octet-stream": {"schema": _BINARY}}
    return {
        "operationId": "artifact_content",
        "summary": "Download an artifact",
        "description": (
            "The bytes, as an attachment. The ETag is their sha256; one Range works."
        ),
        "tags": ["artifact"],
        "security": [{"bearer": []}, {"apiKey": []}],
        "x-scope": "runs:read",
        "parameters": [
            _in_path("artifact", "^[Aa]-[1-9][0-9]{0,17}$"),
            *(_header(each) for each in ("If-None-Match", "Range", "If-Range")),
        ],
        "responses": {
            "200": {"description": "All of it", "content": file},
            "206": {"description": "The range", "content": file},
            "304": {"description": "Unchanged since If-None-Match"},
            "416": {"description": "The range lies outside"},
            **_refusals(_DOWN, problem),
        },
    }


def _download(problem: Schema) -> Schema:
    file = {"application/octet-stream": {"schema": _BINARY}}
    return {
        "operationId": "export_download",
        "summary": "Download an export by its signed link",
        "description": (
            "`export create` and `export show` tell the link, which is good for 24"
            " hours; it is all the right that it takes. The bytes come as an attachment."
        ),
        "tags": ["export"],
        "security": [],
        "parameters": [
            _in_path("token", "^v1[.]"),
            *(_header(each) for each in ("If-None-Match", "Range", "If-Range")),
        ],
        "responses": {
            "200": {"description": "All of it", "content": file},
            "206": {"description": "The range", "content": file},
            "304": {"description": "Unchanged since If-None-Match"},
            "416": {"description": "The range lies outside"},
            **_refusals(_LINKED, problem),
        },
    }


def _upload(problem: Schema) -> Schema:
    done = {"application/json": {"schema": _ARTIFACT}}
    return {
        "operationId": "artifact_upload",
        "summary": "Upload an announced artifact",
        "description": (
            "`artifact put` tells the link. Send exactly what was announced, with its"
            " Content-Length; the link is all the right that it takes."
        ),
        "tags": ["artifact"],
        "security": [],
        "parameters": [_in_path("token", "^v1[.]")],
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": _BINARY}},
        },
        "responses": {
            "200": {"description": "It is there, and was checked", "content": done},
            **_refusals(_UP, problem),
        },
    }


def _in_path(name: str, pattern: str) -> Schema:
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _header(name: str) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "schema": {"type": "string"},
    }


def _refusals(statuses: dict[int, str], problem: Schema) -> Schema:
    content = {"application/problem+json": {"schema": problem}}
    return {
        str(status): {"description": text, "content": content}
        for status, text in statuses.items()
    }
