"""The ASGI application: hot doors in front, FastAPI behind, one lifespan around both."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.flags import FlagFile
from gateway.graph import Graph
from gateway.http.artifacts import ContentDoor, UploadDoor
from gateway.http.asgi import secured
from gateway.http.auth import AuthDoor
from gateway.http.auth_pages import auth_pages
from gateway.http.commands import CommandDoor
from gateway.http.docs import docs_router
from gateway.http.downloads import DownloadDoor
from gateway.http.figures import FiguresDoor
from gateway.http.files import Files
from gateway.http.health import health_router
from gateway.http.resources import Resources
from gateway.http.run_logs import LogDoor
from gateway.http.short_links import short_links
from gateway.http.simulators import Backstage, SimulatorsDoor
from gateway.http.sse import EventDoor
from gateway.http.stream_openapi import TAIL_PATHS
from gateway.http.unrouted import Unrouted
from gateway.http.visits import Visits
from gateway.http.webhook import Verifier, WebhookDoor

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

JOB_PATHS = ("/jobs", "/variants", "/export", "/exports")
"""Where jobs and what is made for them are read and changed; JOBS_AUTH guards these."""


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
        handler = self._hot.get((scope.get("method", "WEBSOCKET"), path))
        if handler is not None:
            await handler(scope, receive, send)
        else:
            await self._app(scope, receive, secured(send))


def create_app(graph: Graph) -> ASGIApp:
    """Compose the application of an object graph."""
    unrouted = Unrouted(graph.registry)
    api = FastAPI(lifespan=_lifespan(graph), redirect_slashes=False, openapi_url=None)
    api.add_exception_handler(HTTPException, unrouted.refuse)
    api.add_exception_handler(Exception, unrouted.fail)
    api.include_router(docs_router(graph.registry))
    api.include_router(short_links(graph.registry))
    api.include_router(
        health_router(
            graph.readiness, graph.core.metrics, graph.supervisor, graph.clock
        )
    )
    api.include_router(_auth_door(graph).router())
    api.include_router(auth_pages())
    api.include_router(_simulators(graph).router())
    resources = Resources(
        graph.pipeline,
        graph.auth,
        clock=graph.clock,
        body_limit=graph.settings.body_limit_bytes,
        strict=JOB_PATHS if graph.settings.jobs_auth == "both" else (),
        files=Files(graph.db),
    )
    api.router.routes.extend(_artifacts(graph))
    api.router.routes.append(_logs(graph))
    api.router.routes.append(resources.routes(graph.registry))
    # After the commands: /v1/channels/webhook/disable is one of them, no endpoint.
    api.router.routes.append(_webhooks(graph).route)
    for each in graph.doors:
        api.router.routes.extend(each.routes)
    door = CommandDoor(
        graph.pipeline,
        graph.auth,
        clock=graph.clock,
        body_limit=graph.settings.body_limit_bytes,
    )
    return Front(
        api,
        {
            ("POST", "/v1/commands"): door.one,
            ("POST", "/v1/commands/batch"): door.batch,
            ("WEBSOCKET", "/v1/ws"): graph.sockets,
            **_streams(graph),
        },
    )


def _auth_door(graph: Graph) -> AuthDoor:
    return AuthDoor(
        graph.pipeline,
        graph.auth,
        sign_in=graph.core.sign_in,
        clock=graph.clock,
        limits=graph.settings.limits,
    )


def _artifacts(graph: Graph) -> Sequence[BaseRoute]:
    """Route the contents of artifacts, up and down."""
    visits = Visits(graph.pipeline, graph.auth, db=graph.db, clock=graph.clock)
    content = ContentDoor(visits, Files(graph.db))
    upload = UploadDoor(visits, graph.db, graph.core.links, clock=graph.clock)
    download = DownloadDoor(visits, graph.db, graph.core.links, clock=graph.clock)
    return content.route, upload.route, download.route


def _logs(graph: Graph) -> BaseRoute:
    """Route the logs that are followed; those that are read are a command's."""
    visits = Visits(graph.pipeline, graph.auth, db=graph.db, clock=graph.clock)
    return LogDoor(visits, graph.db, graph.streams).route


def _webhooks(graph: Graph) -> WebhookDoor:
    verifier = Verifier(graph.db, graph.auth, vault=graph.core.vault, clock=graph.clock)
    return WebhookDoor(
        graph.pipeline,
        graph.intake,
        verifier,
        clock=graph.clock,
        public_url=graph.settings.public_url,
    )


def _simulators(graph: Graph) -> SimulatorsDoor:
    path = graph.settings.flags_file
    backstage = Backstage(
        simulators=graph.simulators,
        flags=FlagFile(path),
        flags_path=path,
        db=graph.db,
        vault=graph.core.vault,
        clock=graph.clock,
    )
    return SimulatorsDoor(graph.pipeline, graph.auth, backstage)


def _streams(graph: Graph) -> Mapping[tuple[str, str], Handler]:
    """Route the answers that stay open."""
    visits = Visits(graph.pipeline, graph.auth, db=graph.db, clock=graph.clock)
    tail = EventDoor(visits, graph.tails, graph.streams, clock=graph.clock)
    return {
        ("GET", "/metrics/stream"): FiguresDoor(visits, graph.figures, graph.streams),
        **{("GET", path): tail for path in TAIL_PATHS},
    }


def _lifespan(graph: Graph) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await graph.start()
        try:
            yield
        finally:
            await graph.stop()

    return lifespan
