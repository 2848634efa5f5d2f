"""`GET /metrics/stream`: the live figures, again every two seconds."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from core.kernel.principal import Principal
from core.kernel.problems import InvalidQuery, Problem, Unavailable
from gateway.figures import LiveFigures
from gateway.http.sse import EventStream
from gateway.http.visits import Visits
from gateway.streams import Stream, Streams

METRICS_SCOPE = "metrics:read"

_EVERY_SECONDS = 2.0


class FiguresDoor:
    """Streams the figures of the caller's tenant."""

    def __init__(self, visits: Visits, figures: LiveFigures, streams: Streams) -> None:
        self._visits = visits
        self._figures = figures
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, for as long as it is open."""
        envelope = self._visits.begin(scope, "metrics stream")
        try:
            principal = await self._visits.identify(scope)
            envelope = replace(envelope, credential=principal)
            self._visits.admit(envelope, METRICS_SCOPE)
            if scope["query_string"]:
                raise InvalidQuery("this address takes no query", fix=["leave it out"])
            with self._streams.opened(principal) as stream:
                await self._stream(principal, stream, EventStream(receive, send))
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)

    async def _stream(
        self, principal: Principal, stream: Stream, out: EventStream
    ) -> None:
        await out.begin(b"retry: 2000\n\n")
        while not stream.is_over:
            if stream.is_due and await out.is_gone():
                return
            stream.is_due = False
            await out.write(await self._message(principal))
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stream.bell.wait()
        await out.end()

    async def _message(self, principal: Principal) -> bytes:
        try:
            return b"event: figures\ndata: %s\n\n" % await self._figures.of(principal)
        except Unavailable:
            return b": waiting for the database\n\n"
