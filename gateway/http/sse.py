"""Server-sent events on plain ASGI, and the tail of events that is served with them."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from starlette.types import Receive, Scope, Send

from core.kernel.clock import Clock
from core.kernel.jsons import to_json
from core.kernel.principal import Principal
from core.kernel.problems import Problem, Unavailable
from gateway.http.asgi import respond
from gateway.http.tail_query import TailQuery, parse_tail
from gateway.http.visits import Visits
from gateway.streams import Stream, Streams
from gateway.tails import Gap, Tail, Tails

EVENTS_SCOPE = "events:read"

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),
]
_RETRY_MS = 1000
_OUTAGE_SECONDS = 1.0


class EventStream:
    """One response in the event stream format, written straight to its connection."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def begin(self, first: bytes) -> None:
        """Send the headers and the first bytes."""
        await self._send(
            {"type": "http.response.start", "status": 200, "headers": _HEADERS}
        )
        await self.write(first)

    async def write(self, messages: bytes) -> None:
        """Write; returns once the connection can take more."""
        await self._send(
            {"type": "http.response.body", "body": messages, "more_body": True}
        )

    async def end(self) -> None:
        """End the response as a whole one."""
        await self._send(
            {"type": "http.response.body", "body": b"", "more_body": False}
        )

    async def is_gone(self) -> bool:
        """Tell whether the client went away, without waiting for it.

        Writing to a lost connection is silently nothing, and a task that waits for the
        loss would be one more for each subscriber; so it is asked now and then.
        """
        try:
            async with asyncio.timeout(0):
                while (await self._receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            return False
        return True


class EventDoor:
    """`GET /collab/events/tail`: events as they happen, as a stream or by long polls."""

    def __init__(
        self, visits: Visits, tails: Tails, streams: Streams, *, clock: Clock
    ) -> None:
        self._visits = visits
        self._tails = tails
        self._streams = streams
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, for as long as it is open."""
        envelope = self._visits.begin(scope, "event tail")
        try:
            principal = await self._visits.identify(scope)
            envelope = replace(envelope, credential=principal)
            self._visits.admit(envelope, EVENTS_SCOPE)
            query = parse_tail(
                scope, now=self._clock.now(), timezone=principal.timezone
            )
            await self._open(principal, query, EventStream(receive, send), send)
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)

    async def _open(
        self, principal: Principal, query: TailQuery, out: EventStream, send: Send
    ) -> None:
        with (
            self._streams.opened(principal) as stream,
            self._tails.following(principal, query.wanted, bell=stream.bell) as tail,
        ):
            await self._tails.begin(tail, query.since)
            if query.wait_seconds is None:
                await _stream(tail, stream, out)
            else:
                await respond(send, 200, await _poll(tail, stream, query.wait_seconds))


async def _stream(tail: Tail, stream: Stream, out: EventStream) -> None:
    """Send events as they come, until the stream is over or nobody reads it.

    The first message has no event, only the place: a client that is cut before
    anything happened can come back to it all the same.
    """
    await out.begin(b"retry: %d\nid: %d\n\n" % (_RETRY_MS, tail.place))
    while not stream.is_over:
        if stream.is_due:
            if await out.is_gone():
                return
            stream.is_due = False
            await out.write(b": keep-alive\nid: %d\n\n" % tail.place)
        messages = await _next(tail)
        if messages:
            await out.write(messages)
        elif not stream.is_over:
            await stream.bell.wait()
    await out.end()


async def _next(tail: Tail) -> bytes:
    """Return what is to be sent next, b"" when there is nothing."""
    try:
        batch = await tail.take() if tail.gap is None else None
    except Unavailable:
        # Asked again soon; an outage of the database is none of this connection.
        await asyncio.sleep(_OUTAGE_SECONDS)
        return b": waiting for the database\n\n"
    if tail.gap is None:
        return batch.messages if batch else b""
    reset = b"id: %d\nevent: reset\ndata: %s\n\n" % (tail.place, _told(tail, tail.gap))
    tail.gap = None
    return reset


async def _poll(tail: Tail, stream: Stream, wait_seconds: int) -> bytes:
    """Wait for events, at most so long, and answer them and where to go on.

    Shape:  `reset` is there when events are missing before the first one.
    Raises: Unavailable.
    """
    batch = await tail.take()
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_seconds):
            while not (batch.entries or tail.gap or stream.is_over):
                await stream.bell.wait()
                batch = await tail.take()
    items = b",".join(line.body for line in batch.lines)
    reset = b"" if tail.gap is None else b',"reset":' + _told(tail, tail.gap)
    return b'{"items":[%s],"next":"%d"%s}' % (items, tail.place, reset)


def _told(tail: Tail, gap: Gap) -> bytes:
    """Say which events there are, and after which one the answer goes on."""
    return to_json({"first": gap.first, "last": gap.last, "after": tail.place})
