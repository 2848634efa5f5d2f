"""What FastAPI's layers cost: the same echo on a Starlette route with orjson."""

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_app() -> Starlette:
    """Build the echo."""
    return Starlette(
        routes=[
            Route("/readyz", _readyz, methods=["GET"]),
            Route("/echo", _echo, methods=["POST"]),
        ]
    )


async def _readyz(_: Request) -> Response:
    return Response(b"{}")


async def _echo(request: Request) -> Response:
    body = orjson.loads(await request.body())
    return Response(orjson.dumps({"line": body["line"]}), media_type="application/json")
