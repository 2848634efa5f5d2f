"""The ASGI application: hot doors in front, FastAPI behind, one lifespan around both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from commands.registry import Registry
from core.kernel.ids import random_id
from gateway import problems
from gateway.bootstrap import Graph
from gateway.http.auth import AuthDoor
from gateway.http.auth_pages import auth_pages
from gateway.http.commands import CommandDoor
from gateway.http.figures import FiguresDoor
from gateway.http.health import health_router
from gateway.http.openapi import document
from gateway.http.resources import Resources
from gateway.http.sse import EventDoor
from gateway.http.stream_openapi import TAIL_PATHS
from gateway.http.visits import Visits

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

_TITLES = {404: "There is no such page", 405: "The method is not allowed here"}


class Front:
    """Takes the hot routes itself; everything else goes on to FastAPI.

    A trailing slash is optional everywhere, and never a redirect.
    """

    def __init__(self, app: ASGIApp, hot: Mapping[tuple[str, str], Handler]) -> None:
        self._app = app
        self._hot = hot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one connection."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if len(path) > 1 and path.endswith("/"):
            path = scope["path"] = path.rstrip("/") or "/"
        handler = self._hot.get((scope.get("method", "WEBSOCKET"), path), self._app)
        await handler(scope, receive, send)


def create_app(graph: Graph) -> ASGIApp:
    """Compose the application of an object graph."""
    api = FastAPI(
        title="Opswire",
        version=graph.version,
        description="One typed command language for operations, on every channel.",
        lifespan=_lifespan(graph),
        redirect_slashes=False,
        docs_url="/docs",
    )
    api.add_exception_handler(HTTPException, _http_problem)
    api.include_router(
        health_router(graph.readiness, graph.metrics, graph.supervisor, graph.clock)
    )
    api.include_router(_auth_door(graph).router())
    api.include_router(auth_pages())
    resources = Resources(
        graph.pipeline, graph.auth, clock=graph.clock,
        body_limit=graph.settings.body_limit_bytes,
    )
    api.include_router(resources.router(graph.registry))
    api.openapi = lambda: _described(api, graph.registry)  # type: ignore[method-assign]
    door = CommandDoor(
        graph.pipeline, graph.auth, clock=graph.clock,
        body_limit=graph.settings.body_limit_bytes,
    )
    return Front(api, {
        ("POST", "/v1/commands"): door.one,
        ("POST", "/v1/commands/batch"): door.batch,
        **_streams(graph),
    })


def _auth_door(graph: Graph) -> AuthDoor:
    return AuthDoor(
        graph.pipeline, graph.auth, sign_in=graph.sign_in, clock=graph.clock,
        limits=graph.settings.limits,
    )


def _streams(graph: Graph) -> Mapping[tuple[str, str], Handler]:
    """Route the answers that stay open."""
    visits = Visits(graph.pipeline, graph.auth, db=graph.db, clock=graph.clock)
    tail = EventDoor(visits, graph.tails, graph.streams, clock=graph.clock)
    return {
        ("GET", "/metrics/stream"): FiguresDoor(visits, graph.figures, graph.streams),
        **{("GET", path): tail for path in TAIL_PATHS},
    }


def _described(api: FastAPI, registry: Registry) -> dict[str, Any]:
    """Build the OpenAPI document at its first request and keep it."""
    if api.openapi_schema is None:
        api.openapi_schema = document(api, registry)
    return api.openapi_schema


def _lifespan(graph: Graph) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await graph.start()
        try:
            yield
        finally:
            await graph.stop()

    return lifespan


async def _http_problem(request: Request, fault: Exception) -> Response:
    """Answer Starlette's own refusals as problem+json, too."""
    assert isinstance(fault, HTTPException)
    request_id = random_id("rq")
    return JSONResponse(
        {
            "type": f"{problems.ERROR_BASE}/http-{fault.status_code}",
            "title": _TITLES.get(fault.status_code, "The request was refused"),
            "status": fault.status_code,
            "detail": f"{request.method} {request.url.path[:200]}",
            "code": f"http_{fault.status_code}",
            "fix": ["see /docs"],
            "request_id": request_id,
        },
        status_code=fault.status_code,
        headers=dict(fault.headers or {}),
        media_type="application/problem+json",
    )
