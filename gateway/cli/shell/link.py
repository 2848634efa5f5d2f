"""A connection that comes back: every command is answered once, over any outage."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from core.kernel.ids import random_id
from core.kernel.problems import InvalidArgument, Problem, Unauthenticated, Unavailable
from core.kernel.reply import Reply, reply_from_json
from gateway.cli.client import Credential, jitter
from gateway.cli.remote import reply_of_problem

PROTOCOL = 1

_OPEN_SECONDS = 10.0
_REPLY_BYTES = 16 * 1024 * 1024
_PASSING = ("unavailable", "too_many_sessions", "rate_limited")

Frame = dict[str, Any]


@dataclass(slots=True)
class Waiting:
    """A command whose reply has not come yet."""

    line: str
    reply: asyncio.Future[Reply]


@dataclass(slots=True)
class Wish:
    """Events about one thing, from the one after `after` on; None is from now on."""

    target: str
    take: Callable[[Frame], None]
    after: int | None = None


@dataclass(slots=True, kw_only=True)
class Link:
    """Sends commands to a gateway and hands back their replies.

    Shape:  after a lost connection the session goes on where it was; a command that
            was in flight is sent again under its id, which is its idempotency key.
            `tell` is called with what a person should know about the connection.
    """

    url: str
    credential: Credential
    tell: Callable[[str], None]
    session: str = ""
    seq: int = 0
    waiting: dict[str, Waiting] = field(default_factory=dict)
    questions: dict[str, asyncio.Future[list[Frame]]] = field(default_factory=dict)
    wishes: dict[str, Wish] = field(default_factory=dict)
    _socket: ClientConnection | None = None

    async def run(self) -> None:
        """Keep the connection until cancelled.

        Raises: Problem when the gateway does not let us in.
        """
        failures, was_told = 0, False
        while True:
            try:
                async with self._connected() as socket:
                    await self._welcome(socket)
                    if was_told:
                        self.tell("connected again")
                    failures, was_told = 0, False
                    await self._read(socket)
            except InvalidURI as fault:
                raise InvalidArgument(
                    f"{self.url} is no address of a gateway",
                    fix=["OPSWIRE_URL=http://host:8000"],
                ) from fault
            except (OSError, InvalidHandshake, ConnectionClosed, Unavailable) as fault:
                if not was_told:
                    self.tell(f"no connection to {self.url} ({fault}); trying again")
                    was_told = True
            finally:
                self._socket = None
            await asyncio.sleep(jitter(failures))
            failures += 1

    async def ask(self, line: str) -> tuple[str, asyncio.Future[Reply]]:
        """Send a line, now or once there is a connection; its reply comes later."""
        exec_id = random_id("sh")
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.waiting[exec_id] = Waiting(line, reply)
        await self._send({"t": "exec", "id": exec_id, "line": line})
        return exec_id, reply

    async def cancel(self, exec_id: str) -> bool:
        """Wait no longer for a reply; tell whether one was still awaited."""
        waiting = self.waiting.pop(exec_id, None)
        if waiting is None:
            return False
        waiting.reply.cancel()
        await self._send({"t": "cancel", "id": exec_id})
        return True

    async def subscribe(self, target: str, take: Callable[[Frame], None]) -> str:
        """Have events about a thing handed over, over lost connections too."""
        name = random_id("ev")
        self.wishes[name] = Wish(target, take)
        await self._wish(name)
        return name

    async def unsubscribe(self, name: str) -> None:
        """Want no more of the events."""
        del self.wishes[name]
        await self._send({"t": "unsubscribe", "id": name})

    async def complete(self, line: str, pos: int) -> list[Frame]:
        """Ask what may stand at character `pos`; nothing while there is no connection."""
        if self._socket is None:
            return []
        question = random_id("cq")
        items: asyncio.Future[list[Frame]] = asyncio.get_running_loop().create_future()
        self.questions[question] = items
        await self._send({"t": "complete", "id": question, "line": line, "pos": pos})
        try:
            return await asyncio.wait_for(items, _OPEN_SECONDS)
        except TimeoutError:
            return []
        finally:
            self.questions.pop(question, None)

    async def ask_once(self, line: str) -> list[Frame]:
        """Connect, ask what may stand at the end of a line, and hang up.

        Raises: Problem when the gateway does not let us in, or is not there.
        """
        try:
            async with self._connected() as socket:
                await self._welcome(socket)
                reading = asyncio.create_task(self._read(socket))
                try:
                    return await self.complete(line, len(line))
                finally:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
        except (OSError, InvalidHandshake, InvalidURI, ConnectionClosed) as fault:
            raise Unavailable(f"no connection to {self.url}") from fault

    def _connected(self) -> connect:
        scheme, _, rest = self.url.partition("://")
        address = f"{'wss' if scheme == 'https' else 'ws'}://{rest}/v1/ws"
        return connect(address, open_timeout=_OPEN_SECONDS, max_size=_REPLY_BYTES)

    async def _welcome(self, socket: ClientConnection) -> None:
        """Say hello, go on with the session, and send again what may be lost."""
        token = await asyncio.to_thread(self.credential.token)
        hello: Frame = {"t": "hello", "protocol": PROTOCOL, "token": token}
        if self.session:
            hello["resume"] = {"session": self.session, "seq": self.seq}
        await socket.send(orjson.dumps(hello), text=True)
        welcome = orjson.loads(await socket.recv())
        if welcome.get("t") != "welcome":
            await asyncio.to_thread(self._refused, welcome)
        if welcome.get("gap"):
            self.tell("older replies of this session are gone")
        if welcome["session"] != self.session:
            self.seq = int(welcome.get("seq", 0))
        self.session = welcome["session"]
        self._socket = socket
        for name in self.wishes:
            await self._wish(name)
        known = welcome.get("pending", ())
        for exec_id, waiting in list(self.waiting.items()):
            if exec_id not in known:
                await self._send({"t": "exec", "id": exec_id, "line": waiting.line})

    def _refused(self, frame: Frame) -> None:
        """Raise what kept us out, unless trying again with a new token may help."""
        code, detail = str(frame.get("code")), str(frame.get("detail"))
        is_passing = code in _PASSING
        if is_passing or (code == "unauthenticated" and self.credential.renew()):
            raise Unavailable(detail)
        if code == "unauthenticated":
            raise Unauthenticated(detail, fix=["ops login", "set OPSWIRE_API_KEY"])
        raise Problem(detail, fix=[str(each) for each in frame.get("fix", ())])

    async def _read(self, socket: ClientConnection) -> None:
        """Take frames until the connection ends.

        Raises: OSError, ConnectionClosed.
        """
        async for raw in socket:
            frame = orjson.loads(raw)
            match frame.get("t"):
                case "reply":
                    await self._replied(frame)
                case "completion":
                    self._settle(frame["id"], frame["items"])
                case "subscribed" | "event" if wish := self.wishes.get(frame["id"]):
                    wish.after = int(frame["seq"])
                    if frame["t"] == "event":
                        wish.take(frame)
                case "error":
                    self._failed(frame)
                case "ping":
                    await self._send({"t": "pong"})
        raise ConnectionResetError("the gateway is going away")

    async def _replied(self, frame: Frame) -> None:
        self.seq = max(self.seq, frame["seq"])
        waiting = self.waiting.pop(frame["id"], None)
        if waiting is not None and not waiting.reply.done():
            waiting.reply.set_result(reply_from_json(frame["reply"]))
        await self._send({"t": "ack", "seq": self.seq})

    def _settle(self, question: str, items: list[Frame]) -> None:
        asked = self.questions.pop(question, None)
        if asked is not None and not asked.done():
            asked.set_result(items)

    def _failed(self, frame: Frame) -> None:
        """Hand a refusal to whom it is about; tell the person if it is about nothing."""
        about = str(frame.get("id", ""))
        self._settle(about, [])
        waiting = self.waiting.pop(about, None)
        if waiting is not None and not waiting.reply.done():
            refusal = {"title": "The gateway refused it", "status": 400, **frame}
            waiting.reply.set_result(reply_of_problem(refusal))
        elif not about:
            self.tell(str(frame.get("detail")))

    async def _wish(self, name: str) -> None:
        wish = self.wishes[name]
        frame: Frame = {"t": "subscribe", "id": name}
        frame["filter"] = {"targets": [wish.target]}
        await self._send(
            frame if wish.after is None else {**frame, "after": wish.after}
        )

    async def _send(self, frame: Frame) -> None:
        """Send a frame if there is a connection; what matters is sent again later."""
        if self._socket is None:
            return
        try:
            await self._socket.send(orjson.dumps(frame), text=True)
        except ConnectionClosed:
            self._socket = None
