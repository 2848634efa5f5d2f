"""OpenAPI descriptions of the routes under /auth, which are no commands."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from gateway.http.auth import LinkLogin, NewPassword, PasswordLogin, Refresh

Schema = dict[str, Any]

_SESSION: Schema = {
    "type": "object",
    "properties": {
        "access_token": {"type": "string"},
        "refresh_token": {"type": "string", "description": "Works once"},
        "token_type": {"type": "string", "const": "Bearer"},
        "expires_in": {"type": "integer", "description": "Seconds of the access token"},
    },
    "required": ["access_token", "refresh_token", "token_type", "expires_in"],
}
_DONE: Schema = {
    "type": "object",
    "properties": {"ok": {"type": "boolean", "const": True}},
    "required": ["ok"],
}
_ERRORS: Mapping[int, str] = {
    400: "The body or a header cannot be read",
    401: "What was sent lets nobody in",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A value in the body does not fit",
    429: "Too many attempts from this address, or for this account",
    500: "A fault of ours",
    503: "Not available now; nothing was stored",
}
_PASSWORD_ERRORS: Mapping[int, str] = {
    403: "The present password is wrong, or a key was sent",
    409: "The password was changed meanwhile",
}


def auth_paths(problem: Schema) -> Schema:
    """Describe every route; `problem` is the schema of what they refuse with."""
    return {
        "/auth/login": {
            "post": _operation(
                "login",
                "Sign in with a name and a password, or with a one-time link.",
                bodies=[PasswordLogin, LinkLogin],
                answer=_SESSION,
                problem=problem,
            )
        },
        "/auth/refresh": {
            "post": _operation(
                "refresh",
                "Swap a refresh token for a new pair; it works once.",
                bodies=[Refresh],
                answer=_SESSION,
                problem=problem,
            )
        },
        "/auth/logout": {
            "post": _operation(
                "logout",
                "End the session of a refresh token.",
                bodies=[Refresh],
                answer=_DONE,
                problem=problem,
            )
        },
        "/auth/password": {
            "post": {
                **_operation(
                    "password",
                    "Set your password; your other sessions end.",
                    bodies=[NewPassword],
                    answer=_SESSION,
                    problem=problem,
                    errors=_PASSWORD_ERRORS,
                ),
                "security": [{"bearer": []}],
            }
        },
        "/auth/link": {
            "get": _page("link", "The page behind a login link", "text/html")
        },
        "/auth/link.js": {
            "get": _page("link_js", "The page's script", "text/javascript")
        },
    }


def _operation(
    name: str,
    summary: str,
    *,
    bodies: Sequence[type[BaseModel]],
    answer: Schema,
    problem: Schema,
    errors: Mapping[int, str] | None = None,
) -> Schema:
    schemas = [each.model_json_schema() for each in bodies]
    body = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    responses: Schema = {
        str(status): _content(text, "application/problem+json", problem)
        for status, text in sorted({**_ERRORS, **(errors or {})}.items())
    }
    responses["200"] = _content(summary, "application/json", answer)
    return {
        "operationId": f"auth_{name}",
        "summary": summary,
        "tags": ["auth"],
        "security": [],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": body}},
        },
        "responses": responses,
    }


def _page(name: str, summary: str, media_type: str) -> Schema:
    return {
        "operationId": f"auth_{name}",
        "summary": summary,
        "tags": ["auth"],
        "security": [],
        "responses": {"200": _content(summary, media_type, {"type": "string"})},
    }


def _content(description: str, media_type: str, schema: Schema) -> Schema:
    return {"description": description, "content": {media_type: {"schema": schema}}}
