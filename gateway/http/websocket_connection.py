"""One connected client: its frames in, commands run side by side, answers out in turn."""

import asyncio
from dataclasses import dataclass
from typing import Protocol, assert_never

from channels.websocket import wire
from channels.websocket.adapter import Socket
from channels.websocket.session import Answered, Link, Session
from channels.websocket.wire import (
    Ack,
    Cancel,
    CloseCode,
    Complete,
    Exec,
    Frame,
    Hello,
    Ping,
    Pong,
    Subscribe,
    Unsubscribe,
)
from commands.complete import complete
from commands.registry import Registry
from core.database import Database
from core.events.model import EventFilter
from core.kernel.clock import Clock
from core.kernel.principal import Principal
from core.kernel.problems import (
    Cancelled,
    Conflict,
    InvalidArgument,
    MissingScope,
    NotFound,
    Problem,
)
from core.kernel.reply import Reply
from gateway.event_source import EventsGone, EventSource
from gateway.pipeline import Pipeline

EVENTS_SCOPE = "events:read"


class Terminal(Protocol):
    """Writes a reply as text for a terminal."""

    def __call__(self, reply: Reply, *, width: int, colour: bool) -> str:
        """Render a reply for a terminal of `width` columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may take; times in seconds."""

    hello_seconds: float = 10.0
    header_hello_seconds: float = 0.1
    sockets: int = 1_000
    sessions_each: int = 200
    in_flight: int = 16
    subscriptions: int = 16
    bad_frames: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the WebSocket door is made of."""

    pipeline: Pipeline
    registry: Registry
    db: Database
    events: EventSource
    terminal: Terminal
    clock: Clock
    limits: Limits = Limits()


class Connection:
    """Serves one socket of one session until either side ends it.

    Shape:  up to `limits.in_flight` commands run at once; beyond that nothing more is
            read, so the client's own socket fills up and no memory of ours does. A
            command that has begun is finished, whatever becomes of its connection.
    """

    def __init__(
        self, parts: Parts, socket: Socket, *, session: Session, principal: Principal
    ) -> None:
        self.socket = socket
        self.principal = principal
        self._parts = parts
        self._session = session
        self._slots = asyncio.Semaphore(parts.limits.in_flight)
        self._carried = frozenset(session.running)
        self._tails: dict[str, asyncio.Task[None]] = {}
        self._bad_frames = 0
        self._group = asyncio.TaskGroup()

    async def run(self, *, first: str | None, replaced: Link | None) -> None:
        """Take frames until the connection ends; `first` was received already.

        `replaced` is the connection that the session had before.
        """
        async with self._group:
            if replaced is not None:
                self._group.create_task(
                    replaced.close(CloseCode.TAKEN_OVER, "resumed elsewhere")
                )
            try:
                await self._take_all(first)
            finally:
                for tail in list(self._tails.values()):
                    tail.cancel()

    async def _take_all(self, first: str | None) -> None:
        text = first if first is not None else await self.socket.receive()
        while text is not None:
            await self._take(text)
            text = await self.socket.receive()

    async def _take(self, text: str) -> None:
        try:
            frame = wire.parse_frame(text)
        except Problem as problem:
            await self._reject(text, problem)
            return
        self._bad_frames = 0
        try:
            await self._serve(frame)
        except Problem as problem:
            await self.socket.send(wire.render_error(problem, wire.find_id(text)))

    async def _reject(self, text: str, problem: Problem) -> None:
        """Say what is wrong with a frame; somebody who sends nothing else is cut off."""
        await self.socket.send(wire.render_error(problem, wire.find_id(text)))
        self._bad_frames += 1
        if self._bad_frames >= self._parts.limits.bad_frames:
            await self.socket.close(CloseCode.POLICY, "too many bad frames")

    async def _serve(self, frame: Frame) -> None:
        match frame:
            case Exec():
                await self._begin(frame)
            case Complete():
                await self._complete(frame)
            case Cancel():
                await self._cancel(frame.id)
            case Subscribe():
                await self._subscribe(frame)
            case Unsubscribe():
                self._unsubscribe(frame.id)
            case _:
                await self._heed(frame)

    async def _heed(self, signal: Hello | Ack | Ping | Pong) -> None:
        match signal:
            case Ping():
                await self.socket.send(wire.PONG)
            case Ack():
                self._session.acknowledge(signal.seq)
            case Hello():
                raise InvalidArgument("hello was said already", fix=["connect again"])
            case Pong():
                return
            case _:
                assert_never(signal)

    # ── commands ──────────────────────────────────────────────────────────────
    async def _begin(self, frame: Exec) -> None:
        """Start a command, unless the connection before this one did and it still runs."""
        if frame.id in self._carried and frame.id in self._session.running:
            return
        await self._slots.acquire()
        if not self.socket.is_open:
            # Its client may be sending it again already, on a connection after this one.
            return
        self._session.running[frame.id] = self._group.create_task(self._exec(frame))

    async def _exec(self, frame: Exec) -> None:
        """Run a command and send its answer; its slot is free once the client has it."""
        try:
            await self._session.deliver(await self._answer(frame))
        finally:
            self._slots.release()

    async def _answer(self, frame: Exec) -> Answered:
        session, parts = self._session, self._parts
        envelope = wire.to_envelope(
            frame, self.principal, session=session.id, now=parts.clock.now()
        )
        try:
            answer = await parts.pipeline.handle(envelope)
        finally:
            session.running.pop(frame.id, None)
        ansi = None
        if frame.cols:
            ansi = parts.terminal(answer.reply, width=frame.cols, colour=True)
        return Answered(
            exec_id=frame.id, stored_seq=answer.seq, reply=answer.body, ansi=ansi
        )

    async def _cancel(self, exec_id: str) -> None:
        """Stop waiting for a command; what is already being stored is stored."""
        task = self._session.running.get(exec_id)
        if task is None:
            raise NotFound(f"a running command {exec_id!r}", fix=["it was answered"])
        task.cancel()
        raise Cancelled(
            "nobody waits for it any more, but it may have taken effect",
            fix=["exec with the same id tells its outcome"],
        )

    async def _complete(self, frame: Complete) -> None:
        parts = self._parts
        items = await parts.db.read(
            lambda tx: complete(tx, parts.registry, frame.line, pos=frame.pos),
            by=self.principal,
        )
        await self.socket.send(wire.render_completion(frame.id, items))

    # ── events ────────────────────────────────────────────────────────────────
    async def _subscribe(self, frame: Subscribe) -> None:
        if not self.principal.may(EVENTS_SCOPE):
            raise MissingScope(EVENTS_SCOPE, who=self.principal.name)
        self._unsubscribe(frame.id)
        if len(self._tails) >= self._parts.limits.subscriptions:
            raise Conflict(
                f"{len(self._tails)} subscriptions are open",
                fix=["unsubscribe from one"],
            )
        after = frame.after
        if after is None:
            after = await self._parts.events.newest(self.principal)
        await self.socket.send(wire.render_subscribed(frame.id, after))
        self._tails[frame.id] = self._group.create_task(self._tail(frame, after))

    def _unsubscribe(self, subscription: str) -> None:
        tail = self._tails.pop(subscription, None)
        if tail is not None:
            tail.cancel()

    async def _tail(self, frame: Subscribe, after: int) -> None:
        """Send events as fast as the client takes them."""
        batches = self._parts.events.tail(
            self.principal, after=after, wanted=EventFilter(**frame.wanted)
        )
        try:
            async for batch in batches:
                for line in batch:
                    await self.socket.send(wire.render_event(frame.id, line.body))
        except EventsGone as gone:
            await self.socket.send(wire.render_gap(frame.id, gone.first))
        except Problem as problem:
            await self.socket.send(wire.render_error(problem, frame.id))
        finally:
            if self._tails.get(frame.id) is asyncio.current_task():
                del self._tails[frame.id]
