"""Socket Mode from Slack's side: envelopes go out, acknowledgements are measured."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson
from aiohttp import ClientConnectionError, WSMsgType, web

from channels.testing.slack.workspace import Payload, new_id

RETRIES = 3
CLOSE_SECONDS = 5.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """One socket that the app has opened; a silent one reads and answers nothing."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    is_silent: bool = False
    is_leaving: bool = False
    silenced: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """One acknowledgement: what was said with it, and after how many seconds."""

    envelope_id: str
    payload: Payload
    waited: float


class SocketServer:
    """The end of Socket Mode that Slack runs.

    Shape:  `most_open` is the highest number of sockets at a time, `times_acked` counts
            the acknowledgements of each envelope.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.sessions: list[Session] = []
        self.acks: list[Ack] = []
        self.times_acked: Counter[str] = Counter()
        self.most_open = 0
        self.opened = 0
        self._now = now
        self._waiting: dict[str, asyncio.Future[Payload]] = {}
        self._changed = asyncio.Condition()

    @property
    def is_open(self) -> bool:
        """Tell whether an envelope has somewhere to go."""
        return any(not each.is_leaving for each in self.sessions)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Hold one socket until it ends."""
        # Pings are answered while something receives: a silent session stops doing so.
        socket = web.WebSocketResponse(timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        session = Session(socket=socket, transport=request.transport)
        await self._enter(session)
        try:
            await socket.send_json(
                {"type": "hello", "num_connections": len(self.sessions)}
            )
            await self._read(session)
        except ClientConnectionError:
            _log.debug("fake_slack.socket_lost")
        finally:
            await self._leave(session)
        return socket

    async def send(self, kind: str, payload: Payload, *, patience: float) -> Ack | None:
        """Send an envelope until it is acknowledged; None when nobody does.

        Shape:  it goes to the newest socket, and after `patience` seconds again, as
                Slack does it with the same envelope id.
        """
        envelope_id = new_id("env-")
        for attempt in range(RETRIES):
            envelope = {
                "envelope_id": envelope_id,
                "type": kind,
                "accepts_response_payload": kind != "events_api",
                "retry_attempt": attempt,
                "payload": payload,
            }
            ack = await self._send_once(envelope, patience)
            if ack is not None:
                self.acks.append(ack)
                return ack
        return None

    async def wait_open(self, count: int = 1) -> None:
        """Wait until the app has that many sockets that are not leaving."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._staying() >= count)

    async def wait_opened(self, count: int) -> None:
        """Wait until the app has opened that many sockets, open still or not."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.opened >= count)

    async def refresh(self, *, reason: str = "refresh_requested") -> None:
        """Ask the app to open another socket, for this one will be closed."""
        for session in list(self.sessions):
            if not session.is_leaving:
                session.is_leaving = True
                await session.socket.send_json({"type": "disconnect", "reason": reason})

    async def say(self, text: str) -> None:
        """Write anything on every socket, even what Slack would never say."""
        for session in list(self.sessions):
            await session.socket.send_str(text)

    async def drop(self) -> None:
        """Cut every socket without a word."""
        for session in list(self.sessions):
            session.is_leaving = True
            if session.transport is not None:
                session.transport.abort()

    def silence(self) -> None:
        """Keep the open sockets open, and neither read from nor write to them."""
        for session in self.sessions:
            session.is_silent = True
            session.silenced.set()

    async def close(self) -> None:
        """End all sockets."""
        for session in list(self.sessions):
            session.ended.set()
            await session.socket.close()

    # ── one socket ────────────────────────────────────────────────────────────
    async def _enter(self, session: Session) -> None:
        async with self._changed:
            self.sessions.append(session)
            self.opened += 1
            self.most_open = max(self.most_open, len(self.sessions))
            self._changed.notify_all()

    async def _leave(self, session: Session) -> None:
        async with self._changed:
            self.sessions.remove(session)
            self._changed.notify_all()

    async def _read(self, session: Session) -> None:
        reading = asyncio.ensure_future(self._receive(session))
        silenced = asyncio.ensure_future(session.silenced.wait())
        try:
            await asyncio.wait((reading, silenced), return_when=asyncio.FIRST_COMPLETED)
            if session.is_silent:
                reading.cancel()  # So that pings find nobody either.
                await session.ended.wait()
        finally:
            reading.cancel()
            silenced.cancel()

    async def _receive(self, session: Session) -> None:
        async for message in session.socket:
            if message.type is WSMsgType.TEXT:
                self._note(orjson.loads(message.data))

    def _note(self, answer: Payload) -> None:
        envelope_id = str(answer.get("envelope_id", ""))
        self.times_acked[envelope_id] += 1
        waiting = self._waiting.get(envelope_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer.get("payload") or {})

    # ── one envelope ──────────────────────────────────────────────────────────
    def _staying(self) -> int:
        return sum(not each.is_leaving for each in self.sessions)

    async def _send_once(self, envelope: Payload, patience: float) -> Ack | None:
        envelope_id = str(envelope["envelope_id"])
        waiting: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiting
        began = self._now()
        try:
            async with asyncio.timeout(patience):
                await self.wait_open()
                session = [each for each in self.sessions if not each.is_leaving][-1]
                if not session.is_silent:
                    await session.socket.send_json(envelope)
                payload = await waiting
        except (TimeoutError, ClientConnectionError):
            return None
        finally:
            del self._waiting[envelope_id]
        return Ack(envelope_id=envelope_id, payload=payload, waited=self._now() - began)
