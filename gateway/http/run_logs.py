"""`GET /v1/runs/{id}/logs?follow=true`: what a run prints, as it prints it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from core.database import Database, Tx
from core.kernel.jsons import to_json
from core.kernel.principal import Principal
from core.kernel.problems import InvalidHeader, InvalidQuery, Problem, Unavailable
from core.runs import service as runs
from core.runs.logs import service as logs
from core.runs.logs.model import LogChunk, LogPage
from core.runs.model import Run
from gateway.http.asgi import Headers
from gateway.http.sse import EventStream
from gateway.http.visits import Visits
from gateway.streams import Stream, Streams

PATH = "/v1/runs/{run}/logs"
LOGS_SCOPE = "runs:read"

_LOOK_SECONDS = 0.5
_BATCH_BYTES = 65_536
_MOST_DIGITS = 15
_PARAMETERS = ("follow", "offset", "tail", "step")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is followed: a run's log, from a byte on or from its last lines."""

    run: str
    offset: int = 0
    tail: int = 0
    step: str = ""


class Seen(NamedTuple):
    """A part of a log, and whether anything can come after it."""

    page: LogPage
    run: Run


class FollowRoute(Route):
    """The path that a command has as well; only who follows is meant here."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match a request that says `follow=true`."""
        is_asked = b"follow=true" in scope.get("query_string", b"").split(b"&")
        return super().matches(scope) if is_asked else (Match.NONE, {})


class LogDoor:
    """Streams the log of one run until that is over; then the last event says `end`."""

    def __init__(self, visits: Visits, db: Database, streams: Streams) -> None:
        self._visits = visits
        self._db = db
        self._streams = streams

    @property
    def route(self) -> Route:
        """The route of this door, for the application."""
        return FollowRoute(PATH, self, methods=["GET"], name="run_logs_follow")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, for as long as it is open."""
        envelope = self._visits.begin(scope, "run logs")
        try:
            principal = await self._visits.identify(scope)
            envelope = replace(envelope, credential=principal)
            self._visits.admit(envelope, LOGS_SCOPE)
            wish = parse_wish(scope)
            first = await self._look(principal, wish)
            with self._streams.opened(principal) as stream:
                out = EventStream(receive, send)
                await self._stream(principal, wish, stream, out=out, seen=first)
        except Problem as problem:
            await self._visits.refuse(send, envelope, problem)

    async def _stream(
        self,
        principal: Principal,
        wish: Wish,
        stream: Stream,
        *,
        out: EventStream,
        seen: Seen,
    ) -> None:
        await out.begin(b"retry: 1000\n\n")
        while not stream.is_over:
            if stream.is_due:
                if await out.is_gone():
                    return
                stream.is_due = False
                await out.write(b": keep-alive\n\n")
            if seen.page.chunks:
                await out.write(b"".join(map(_message, seen.page.chunks)))
            elif seen.run.is_terminal:
                await out.write(_end(seen))
                break
            else:
                await _pause(stream)
            wish = replace(wish, offset=seen.page.next_offset, tail=0)
            with suppress(Unavailable):
                seen = await self._look(principal, wish)
        await out.end()

    async def _look(self, principal: Principal, wish: Wish) -> Seen:
        return await self._db.read(partial(_look, wish=wish), by=principal)


def parse_wish(scope: Scope) -> Wish:
    """Read the query and `Last-Event-ID`, which goes before it.

    Raises: InvalidQuery, InvalidHeader.
    """
    query = scope["query_string"].decode("ascii", "replace")
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given:
        if name not in _PARAMETERS:
            raise InvalidQuery(
                f"{name[:40]!r} is not a parameter here",
                fix=[f"use {', '.join(_PARAMETERS)}"],
            )
    wish = Wish(
        run=scope["path_params"]["run"].upper(),
        offset=_number(given, "offset"),
        tail=_number(given, "tail"),
        step=given.get("step", ""),
    )
    last_id = Headers.of(scope).get(b"last-event-id").strip()
    if not last_id:
        return wish
    if not (last_id.isdigit() and len(last_id) <= _MOST_DIGITS):
        raise InvalidHeader(
            "Last-Event-ID is no offset", fix=["send it as it was received"]
        )
    return replace(wish, offset=int(last_id), tail=0)


def _number(given: Mapping[str, str], name: str) -> int:
    text = given.get(name) or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise InvalidQuery(f"{name!r} is a whole number", fix=[f"{name}=100"])
    return int(text)


def _look(tx: Tx, wish: Wish) -> Seen:
    """Read on; the run is read first, so that nothing it printed at its end is missed."""
    run = runs.get_(tx, wish.run)
    if wish.tail:
        page = logs.read(tx, run.id, tail=wish.tail, step=wish.step)
        return Seen(_from_line(page), run)
    page = logs.read(tx, run.id, offset=wish.offset, step=wish.step, limit=_BATCH_BYTES)
    return Seen(page, run)


def _from_line(page: LogPage) -> LogPage:
    """Leave out what the chunks of a tail hold before its first line."""
    if not page.lines:
        return page
    first = page.lines[0].number
    kept = [_cut(each, first) for each in page.chunks if each.last_line >= first]
    return replace(page, chunks=kept)


def _cut(chunk: LogChunk, first: int) -> LogChunk:
    missing = max(0, first - chunk.first_line)
    if not missing:
        return chunk
    rest = chunk.text.split("\n", missing)[-1]
    skipped = len(chunk.text.encode()) - len(rest.encode())
    return replace(chunk, text=rest, begin=chunk.begin + skipped, first_line=first)


def _message(chunk: LogChunk) -> bytes:
    data = to_json(
        {
            "begin": chunk.begin,
            "attempt": chunk.attempt,
            "step": chunk.step,
            "stream": chunk.stream,
            "first_line": chunk.first_line,
            "text": chunk.text,
        }
    )
    return b"id: %d\nevent: log\ndata: %s\n\n" % (chunk.end, data)


def _end(seen: Seen) -> bytes:
    data = to_json(
        {
            "status": seen.run.status.value,
            "total_lines": seen.page.total_lines,
            "is_truncated": seen.page.is_truncated,
        }
    )
    return b"id: %d\nevent: end\ndata: %s\n\n" % (seen.page.next_offset, data)


async def _pause(stream: Stream) -> None:
    """Wait until it may be worth looking again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_LOOK_SECONDS):
            await stream.bell.wait()
