"""Socket Mode under a watchdog.

slack_sdk's own client closes a socket before it opens the next, and tries again without
a pause. Here the next one is open before the old is left, a socket that has gone silent
is noticed by its missing pongs, and failed tries are spread out.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import orjson

from channels.base import Postponed
from channels.slack.web import FIX_WAY_IN, Pool, Refused, call

Payload = Mapping[str, Any]
Dispatch = Callable[[Payload], Awaitable["Payload | None"]]

ENVELOPES_AT_ONCE = 64
FRAME_LIMIT_BYTES = 4_194_304

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the watchdog is, in seconds.

    Shape:  a ping goes out every `ping`, and its pong may take half of that: a silent
            socket is noticed after at most 1.5 times `ping`. `drain` is how long an old
            socket is still read. Pauses between tries grow from `first_pause` to
            `longest_pause`, each drawn between half and whole.
    """

    ping: float = 30.0
    hello: float = 10.0
    drain: float = 12.0
    first_pause: float = 0.5
    longest_pause: float = 30.0


class Broken(Exception):
    """A socket could not be opened; `fix` says what would help, "" to wait."""

    def __init__(self, reason: str, *, fix: str = "", pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.pause = pause


class Watcher(Protocol):
    """Who is told how the connection fares."""

    def is_open(self) -> None:
        """Note that a socket said hello."""

    def is_lost(self, reason: str, fix: str) -> None:
        """Note that there is no socket now."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Socket:
    """One socket; `is_over` is set as soon as another should take its place."""

    connection: aiohttp.ClientWebSocketResponse
    is_over: asyncio.Event = field(default_factory=asyncio.Event)
    is_lost: bool = False


class SocketMode:
    """Holds one socket to Slack, two while it changes over, and hands envelopes on."""

    def __init__(
        self,
        pool: Pool,
        app_token: str,
        dispatch: Dispatch,
        *,
        watcher: Watcher,
        timing: Timing | None = None,
    ) -> None:
        self._pool = pool
        self._app_token = app_token
        self._dispatch = dispatch
        self._watcher = watcher
        self._timing = timing or Timing()
        self._room = asyncio.Semaphore(ENVELOPES_AT_ONCE)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        async with asyncio.TaskGroup() as group:
            leaving: asyncio.Task[None] | None = None
            while True:
                socket = await self._open()
                reading = group.create_task(self._read(socket))
                await socket.is_over.wait()
                if socket.is_lost:
                    self._watcher.is_lost("the connection to Slack was lost", "wait")
                if leaving is not None:
                    leaving.cancel()  # Never a third socket.
                    await asyncio.wait((leaving,))
                leaving = reading

    # ── opening ───────────────────────────────────────────────────────────────
    async def _open(self) -> _Socket:
        """Open a socket, however often it takes."""
        timing = self._timing
        pause = timing.first_pause
        while True:
            try:
                socket = await self._try()
            except Broken as broken:
                self._watcher.is_lost(broken.reason, broken.fix or "wait")
                wait = max(pause * random.uniform(0.5, 1.0), broken.pause)  # noqa: S311 (it spreads load)
                await asyncio.sleep(wait)
                pause = min(pause * 2, timing.longest_pause)
            else:
                self._watcher.is_open()
                return socket

    async def _try(self) -> _Socket:
        client = self._pool.client(self._app_token)
        try:
            said = await call(
                lambda: client.apps_connections_open(app_token=self._app_token)
            )
        except Refused as refused:
            raise Broken(
                f"Slack refused the app token: {refused.error}",
                fix=FIX_WAY_IN,
                pause=self._timing.longest_pause,
            ) from refused
        except Postponed as postponed:
            raise Broken(postponed.reason, pause=postponed.retry_after) from postponed
        try:
            async with asyncio.timeout(self._timing.hello):
                return await self._connect(str(said["url"]))
        except (aiohttp.ClientError, OSError, TimeoutError) as fault:
            reason = str(fault) or type(fault).__name__
            raise Broken(f"no socket could be opened: {reason}") from fault

    async def _connect(self, url: str) -> _Socket:
        """Open a socket and wait until Slack says hello."""
        connection = await self._pool.session.ws_connect(
            url, heartbeat=self._timing.ping, max_msg_size=FRAME_LIMIT_BYTES
        )
        try:
            frame = await connection.receive()
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise Broken("Slack closed the socket at once")
            if _parsed(frame.data).get("type") != "hello":
                raise Broken("Slack did not say hello")
        except BaseException:
            await connection.close()
            raise
        return _Socket(connection=connection)

    # ── reading ───────────────────────────────────────────────────────────────
    async def _read(self, socket: _Socket) -> None:
        """Read a socket to its end; acknowledge all that came before it is closed."""
        try:
            async with asyncio.TaskGroup() as group:
                with suppress(TimeoutError):
                    async with asyncio.timeout(None) as limit:
                        async for frame in socket.connection:
                            if frame.type is aiohttp.WSMsgType.TEXT:
                                envelope = _parsed(frame.data)
                                await self._take(socket, envelope, group)
                            if socket.is_over.is_set() and limit.when() is None:
                                limit.reschedule(self._drained_at())
        finally:
            socket.is_lost = not socket.is_over.is_set()
            socket.is_over.set()
            await socket.connection.close()

    async def _take(
        self, socket: _Socket, envelope: Payload, group: asyncio.TaskGroup
    ) -> None:
        if envelope.get("type") == "disconnect":
            socket.is_over.set()
        elif "envelope_id" in envelope:
            await self._room.acquire()
            group.create_task(self._answer(socket, envelope))

    def _drained_at(self) -> float:
        """Tell until when an old socket is read: Slack may have sent something on it."""
        return asyncio.get_running_loop().time() + self._timing.drain

    async def _answer(self, socket: _Socket, envelope: Payload) -> None:
        """Hand one envelope on; what was not stored is not acknowledged."""
        try:
            said = await self._dispatch(envelope.get("payload") or {})
            if said is None:
                return
            ack: dict[str, Any] = {"envelope_id": envelope["envelope_id"]}
            if said:
                ack["payload"] = said
            await socket.connection.send_str(orjson.dumps(ack).decode())
        except (ConnectionError, aiohttp.ClientError):
            _log.info("slack.ack_lost")  # Slack sends it again, and the inbox knows it.
        finally:
            self._room.release()


def _parsed(text: str) -> Payload:
    """Read a frame; what is no JSON object says nothing."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
