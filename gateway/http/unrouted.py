"""Answers what no route takes: 404, 405 with all methods of the path, 500."""

import re
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from commands.registry import Outage, Registry, Route
from core.kernel.ids import random_id
from core.kernel.jsons import to_json
from core.kernel.problems import CommandDisabled
from core.kernel.reply import ErrorInfo
from gateway import problems
from gateway.http.asgi import PROBLEM
from gateway.http.openapi import outline

_NAME = re.compile(r"\\\{\w+\\\}")


class Unrouted:
    """Knows every path of the API, to tell a wrong path from a wrong method."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def refuse(self, request: Request, fault: Exception) -> Response:
        """Answer Starlette's own refusals as problem+json."""
        status = fault.status_code if isinstance(fault, HTTPException) else 500
        path = str(request.scope["path"])
        allowed = self.allowed(path)
        if allowed and request.method not in allowed:
            return _problem(_not_allowed(request.method, path, allowed), allowed)
        if status == 404 and (outage := self._outage(request.method, path)):
            return _problem(_disabled(path, outage))
        return _problem(_no_page(path) if status == 404 else _other(status))

    async def fail(self, request: Request, fault: Exception) -> Response:
        """Answer a fault of ours without telling what it was."""
        return _problem(problems.unexpected(random_id("rq")))

    def allowed(self, path: str) -> list[str]:
        """List the methods of a path, none if there is no such path."""
        known = self._registry.derive(_methods_of)
        found = (each for pattern, each in known if pattern.fullmatch(path))
        return sorted({method for methods in found for method in methods})

    def _outage(self, method: str, path: str) -> Outage | None:
        """Find the plugin that had a path and has failed."""
        lost = self._registry.derive(_lost_of)
        return next(
            (
                outage
                for route, pattern, outage in lost
                if route.method == method and pattern.fullmatch(path)
            ),
            None,
        )


def _lost_of(registry: Registry) -> Sequence[tuple[Route, re.Pattern[str], Outage]]:
    return [
        (route, _pattern(route.path), outage)
        for outage in registry.outages.values()
        for route in outage.routes
    ]


def _disabled(path: str, outage: Outage) -> ErrorInfo:
    disabled = CommandDisabled(
        f"{path[:200]} is disabled: {outage.why}", fix=[outage.fix]
    )
    return problems.to_error(disabled)


def _methods_of(registry: Registry) -> Sequence[tuple[re.Pattern[str], list[str]]]:
    return [
        (_pattern(path), sorted(method.upper() for method in methods))
        for path, methods in outline(registry).items()
    ]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub("[^/]+", re.escape(path)))


def _not_allowed(method: str, path: str, allowed: list[str]) -> ErrorInfo:
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/method-not-allowed",
        code="method_not_allowed",
        title="The method is not allowed here",
        detail=f"{method} {path[:200]}",
        status=405,
        fix=[f"use {' or '.join(allowed)}"],
    )


def _no_page(path: str) -> ErrorInfo:
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/no-such-page",
        code="no_such_page",
        title="There is no such page",
        detail=path[:200],
        status=404,
        fix=["look at /docs"],
    )


def _other(status: int) -> ErrorInfo:
    return ErrorInfo(
        type=f"{problems.ERROR_BASE}/malformed-request",
        code="malformed_request",
        title="The request was refused",
        detail="it cannot be read",
        status=status,
        fix=["look at /docs"],
    )


def _problem(error: ErrorInfo, allowed: list[str] | None = None) -> Response:
    document = problems.to_document(error, request_id=random_id("rq"))
    response = Response(to_json(document), status_code=error.status)
    response.raw_headers.append(PROBLEM)
    if allowed:
        response.raw_headers.append((b"allow", ", ".join(allowed).encode()))
    return response
