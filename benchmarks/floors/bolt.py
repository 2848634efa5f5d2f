"""The Slack floor: bare Bolt as its guide shows it, with fifty listeners.

It verifies a signature and acknowledges, and keeps nothing.
"""

import re

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = "a-signing-secret-of-the-benchmarks"
TEAM = "T0BENCH01"
LISTENERS = 50


def create_app() -> Starlette:
    """Build the app; the command that is sent has the last of its listeners."""
    bolt = AsyncApp(signing_secret=SECRET, authorize=_authorize)
    for number in range(LISTENERS - 1):
        bolt.command(f"/other{number}")(_acknowledge)
    bolt.command(re.compile("/ops"))(_acknowledge)
    handler = AsyncSlackRequestHandler(bolt)

    async def events(request: Request) -> Response:
        return await handler.handle(request)

    return Starlette(
        routes=[
            Route("/readyz", _readyz, methods=["GET"]),
            Route("/slack/events", events, methods=["POST"]),
        ]
    )


async def _authorize() -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-none")


async def _acknowledge(ack: AsyncAck) -> None:
    await ack()


async def _readyz(_: Request) -> Response:
    return Response(b"{}")
