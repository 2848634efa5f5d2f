"""As much of Slack as a gateway asks for: who the token is, and that all was posted."""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.floors.bolt import TEAM


def create_app() -> Starlette:
    """Build it."""
    return Starlette(
        routes=[
            Route("/readyz", _readyz, methods=["GET"]),
            Route("/api/{method}", _answer, methods=["POST"]),
        ]
    )


async def _readyz(_: Request) -> Response:
    return Response(b"{}")


async def _answer(_: Request) -> Response:
    said = {"team_id": TEAM, "team": "bench", "user": "opswire", "user_id": "U0BOT"}
    return JSONResponse({"ok": True, "channel": "C0BENCH01", "ts": "1.000001", **said})


if __name__ == "__main__":
    uvicorn.run(create_app(), port=int(sys.argv[1]), log_level="warning")
