"""The REST routes of all commands, whichever there are when a request comes."""

from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.routing import Route as Path
from starlette.types import Receive, Scope, Send

from commands.registry import Command, Registry, Route

Endpoint = Callable[[Request], Awaitable[Response]]
EndpointOf = Callable[[Command, Route], Endpoint]

_FOUND = "opswire.route"


class CommandRoutes(BaseRoute):
    """Stands in the list of routes for those of every command.

    Shape:  the routes are derived from the registry, so they come and go with their
            commands while requests are served.
    """

    def __init__(self, registry: Registry, endpoint_of: EndpointOf) -> None:
        self._registry = registry
        self._endpoint_of = endpoint_of

    @property
    def routes(self) -> Sequence[Path]:
        """List the routes that there are now."""
        return self._registry.derive(self._table)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Find the first route that takes a request, or one that has its path."""
        if scope["type"] != "http":
            return Match.NONE, {}
        partial: tuple[Match, Scope] = Match.NONE, {}
        for route in self.routes:
            match, found = route.matches(scope)
            if match is Match.FULL:
                return match, {**found, _FOUND: route}
            if match is Match.PARTIAL and partial[0] is Match.NONE:
                partial = match, {**found, _FOUND: route}
        return partial

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the route that was found."""
        route: Path = scope[_FOUND]
        await route.handle(scope, receive, send)

    def _table(self, registry: Registry) -> Sequence[Path]:
        return [
            self._path(command, route)
            for command in registry
            for route in command.routes
        ]

    def _path(self, command: Command, route: Route) -> Path:
        path = Path(
            route.path, self._endpoint_of(command, route), methods=[route.method]
        )
        # Starlette adds HEAD to GET, which the API does not have.
        path.methods = {route.method}
        return path
