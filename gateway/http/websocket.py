"""`GET /v1/ws`: who may open a WebSocket, and with which session it goes on."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from channels.websocket import wire
from channels.websocket.adapter import Socket
from channels.websocket.origin import is_allowed
from channels.websocket.session import (
    MOST_REPLAYED,
    Answered,
    Link,
    Owner,
    Session,
    Sessions,
)
from channels.websocket.wire import CloseCode, Hello, Resume, Standing
from core.audit.model import AuditDraft, Verdict
from core.database import Tx
from core.delivery import replays
from core.delivery.replays import Place, StoredReply
from core.kernel.jsons import to_json
from core.kernel.principal import Principal, system
from core.kernel.problems import (
    Forbidden,
    InvalidQuery,
    Problem,
    TooManySessions,
    Unauthenticated,
    Unavailable,
)
from gateway import problems
from gateway.http.asgi import PROBLEM, Headers
from gateway.http.websocket_connection import Connection, Parts

_CUT_SECONDS = 5.0
_EXAMPLE = '{"t": "hello", "protocol": 1, "token": "…"}'


class Authenticator(Protocol):
    """Verifies credentials, and later whether they still hold."""

    async def authenticate(
        self, authorization: str = "", api_key: str = ""
    ) -> Principal:
        """Return the principal of a credential; raises Unauthenticated."""

    async def is_still_valid(self, principal: Principal) -> bool:
        """Tell whether an open connection of this principal may go on."""


class WebSocketDoor:
    """The WebSocket endpoint, a plain ASGI handler.

    Shape:  whatever can be refused is refused before the upgrade, as a problem with its
            HTTP status; what comes in the first frame is refused with an error frame.
            `origins` are browser origins allowed beside our own.
    """

    def __init__(
        self, parts: Parts, auth: Authenticator, *, origins: Collection[str] = ()
    ) -> None:
        limits = parts.limits
        self.sessions = Sessions(most=limits.sockets, most_each=limits.sessions_each)
        self._parts = parts
        self._auth = auth
        self._origins = frozenset(origins)
        self._open: set[Connection] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket to its end."""
        await receive()
        try:
            principal = await self._admit(scope)
            self.sessions.enter()
        except Problem as problem:
            await self._refuse_upgrade(scope, send, problem)
            return
        try:
            await self._serve(Socket(receive, send), principal)
        finally:
            self.sessions.leave()

    async def recheck(self) -> None:
        """Cut off everybody whose credential no longer holds; due every few seconds.

        Raises: Unavailable when it cannot be asked; then nobody is cut off.
        """
        by_credential: dict[tuple[str, ...], list[Connection]] = {}
        for each in self._open:
            by_credential.setdefault(_credential_of(each.principal), []).append(each)
        for connections in by_credential.values():
            if not await self._auth.is_still_valid(connections[0].principal):
                await asyncio.gather(*(_cut(each.socket) for each in connections))

    # ── before the upgrade ────────────────────────────────────────────────────
    async def _admit(self, scope: Scope) -> Principal | None:
        """Check what the upgrade says; None when the first frame must say who asks."""
        if scope["query_string"]:
            # What was put into the address may be a secret, and the server logs addresses.
            scope["query_string"] = b""
            raise InvalidQuery(
                "this address takes no query; a credential least of all",
                fix=["send the Authorization header, or hello with a token"],
            )
        if not is_allowed(
            scope["headers"], scheme=scope["scheme"], allowed=self._origins
        ):
            raise Forbidden(
                "this origin may not connect", fix=["add it to OPSWIRE_ALLOWED_ORIGINS"]
            )
        headers = Headers.of(scope)
        authorization, key = headers.get(b"authorization"), headers.get(b"x-api-key")
        if not authorization and not key:
            return None
        return await self._auth.authenticate(authorization, key)

    async def _refuse_upgrade(self, scope: Scope, send: Send, problem: Problem) -> None:
        self._note(problem)
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": CloseCode.POLICY})
            return
        error = problems.to_error(problem)
        await send(
            {
                "type": "websocket.http.response.start",
                "status": error.status,
                "headers": [PROBLEM, (b"cache-control", b"no-store")],
            }
        )
        body = to_json(problems.to_document(error, request_id=""))
        await send({"type": "websocket.http.response.body", "body": body})

    def _note(self, problem: Problem) -> None:
        """Record that somebody was turned away; a flood of them becomes one row."""
        entry = AuditDraft(
            action="connect",
            actor="nobody",
            channel=wire.CHANNEL,
            verdict=Verdict.DENIED,
            reason=problem.detail,
        )
        self._parts.pipeline.floods.count(entry, by=system())

    # ── the first frame ───────────────────────────────────────────────────────
    async def _serve(self, socket: Socket, principal: Principal | None) -> None:
        await socket.accept()
        first = await self._first_frame(socket, is_known=principal is not None)
        if not socket.is_open:
            return
        try:
            hello = _hello_in(first, is_needed=principal is None)
            person = principal or await self._sign_in(hello)
            session, replaced = await self._welcome(socket, person, hello.resume)
        except (Unavailable, TooManySessions) as problem:
            await socket.refuse(problem, CloseCode.TRY_LATER)
        except Problem as problem:
            self._note(problem)
            await socket.refuse(problem, CloseCode.POLICY)
        else:
            connection = Connection(
                self._parts, socket, session=session, principal=person
            )
            unread = None if hello.was_said else first
            await self._keep(connection, session, unread=unread, replaced=replaced)

    async def _keep(
        self,
        connection: Connection,
        session: Session,
        *,
        unread: str | None,
        replaced: Link | None,
    ) -> None:
        """Serve a connection that was welcomed, and let its session outlive it."""
        self._open.add(connection)
        try:
            await connection.run(first=unread, replaced=replaced)
        finally:
            self._open.discard(connection)
            session.detach(connection.socket)

    async def _first_frame(self, socket: Socket, *, is_known: bool) -> str | None:
        """Wait for hello; who sent a header may leave it out, and is not kept waiting."""
        limits = self._parts.limits
        seconds = limits.header_hello_seconds if is_known else limits.hello_seconds
        try:
            async with asyncio.timeout(seconds):
                return await socket.receive()
        except TimeoutError:
            return None

    async def _sign_in(self, hello: Hello) -> Principal:
        if not hello.credential:
            raise Unauthenticated("hello has no token", fix=[_EXAMPLE])
        return await self._auth.authenticate(f"Bearer {hello.credential}")

    # ── the session ───────────────────────────────────────────────────────────
    async def _welcome(
        self, socket: Socket, principal: Principal, resume: Resume | None
    ) -> tuple[Session, Link | None]:
        """Begin a session or go on with one; return it with the link that it had."""
        owner = Owner.of(principal)
        known = self.sessions.find(resume.session, owner) if resume else None
        if known is None or resume is None:
            session = self.sessions.create(owner)
            standing = Standing(session=session.id, gap=resume is not None)
            await _greet(socket, session, standing)
            return session, None
        async with known.resuming:
            replaced = known.take_over()
            await self._catch_up(socket, principal, session=known, after=resume.seq)
        return known, replaced

    async def _catch_up(
        self, socket: Socket, principal: Principal, *, session: Session, after: int
    ) -> None:
        """Send what was missed since `after`; all of it, or word of a gap."""
        place = Place(wire.CHANNEL, principal.id, session.id)
        history = await self._parts.db.read(
            lambda tx: _history(tx, place, after), by=principal
        )
        is_gap = history.missed is None
        missed = history.missed or ()
        if is_gap:
            session.start_anew(history.newest)
        frames = () if is_gap else session.catch_up(after, missed)
        told = {each.exec_id for each in missed}
        standing = Standing(
            session=session.id,
            seq=session.seq,
            resumed=not is_gap,
            gap=is_gap,
            replayed=len(frames),
            pending=tuple(each for each in session.running if each not in told),
        )
        await _greet(socket, session, standing, frames)


class _History(NamedTuple):
    """The replies of a session that a client missed, None if they are not all known."""

    missed: Sequence[Answered] | None
    newest: int


def _history(tx: Tx, place: Place, after: int) -> _History:
    """Read what a session was answered after reply number `after`.

    That reply itself must still be there (unless none was seen), else older replies
    than are kept, or ones that never were, might be missing without anybody knowing.
    """
    rows = replays.list_replies(tx, place, since=after, limit=MOST_REPLAYED + 2)
    is_known = after == 0 or (bool(rows) and rows[0].seq == after)
    missed = [_answered(row) for row in rows if row.seq > after]
    if not is_known or len(missed) > MOST_REPLAYED:
        return _History(None, replays.newest_seq(tx, place))
    return _History(missed, 0)


def _answered(row: StoredReply) -> Answered:
    return Answered(exec_id=row.key, stored_seq=row.seq, reply=row.reply.encode())


async def _greet(
    socket: Socket, session: Session, standing: Standing, frames: Sequence[str] = ()
) -> None:
    """Connect a session; its first frames are the welcome and what was missed."""
    session.attach(socket)
    await socket.send_all((wire.render_welcome(standing), *frames))


def _hello_in(text: str | None, *, is_needed: bool) -> Hello:
    """Read the first frame; what is no hello is read again later, if none is needed."""
    try:
        frame = wire.parse_frame(text) if text is not None else None
    except Problem:
        if is_needed:
            raise
        frame = None
    if isinstance(frame, Hello):
        return frame
    if is_needed:
        raise Unauthenticated("the first frame was not hello", fix=[_EXAMPLE])
    return Hello(was_said=False)


def _credential_of(principal: Principal) -> tuple[str, ...]:
    return principal.tenant, principal.id, principal.key_id, principal.session


async def _cut(socket: Socket) -> None:
    """Tell a client that its credential is refused; at once silent, then closed."""
    refused = Unauthenticated("this credential no longer holds", fix=["sign in again"])
    with suppress(TimeoutError):
        async with asyncio.timeout(_CUT_SECONDS):
            await socket.refuse(refused, CloseCode.POLICY)
    socket.mute()
