"""One WebSocket connection over ASGI: text frames in, frames out one after another."""

import asyncio
from collections.abc import Iterable

from channels.base import Message, Receive, Send
from channels.websocket.wire import FRAME_BYTES, CloseCode, render_error
from core.kernel.problems import BadRequest, Problem, TooLarge


class Socket:
    """The connection, from the request for an upgrade to its end.

    Shape:  frames are sent in the order in which `send` was called, one at a time; who
            sends waits until the frame has left, so that a slow client slows down its
            own commands and nothing queues up. Whatever is sent after the end is
            dropped: a session keeps what its client may have missed.
    """

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._turn = asyncio.Lock()
        self._is_open = False
        self._is_closed = False

    @property
    def is_open(self) -> bool:
        """Whether frames still come in and go out."""
        return self._is_open

    async def accept(self) -> None:
        """Upgrade the connection."""
        await self._write({"type": "websocket.accept"})
        self._is_open = not self._is_closed

    async def receive(self) -> str | None:
        """Wait for the next text frame; None once the connection has ended.

        A binary frame or one above 64 KiB ends it.
        """
        message = await self._receive()
        if message["type"] != "websocket.receive" or not self._is_open:
            self.mute()
            return None
        text: str | None = message.get("text")
        if text is not None and not _is_long(text):
            return text
        if text is None:
            await self.refuse(_NOT_TEXT, CloseCode.UNSUPPORTED)
        else:
            await self.refuse(_TOO_LONG, CloseCode.TOO_BIG)
        return None

    async def send(self, payload: str) -> bool:
        """Send a frame after those before it; tell whether it was handed over."""
        async with self._turn:
            return await self._hand_over(payload)

    async def send_all(self, payloads: Iterable[str]) -> None:
        """Send some frames with none of others between them."""
        async with self._turn:
            for payload in payloads:
                await self._hand_over(payload)

    async def refuse(self, problem: Problem, code: CloseCode) -> None:
        """Say what is wrong, then close."""
        await self.send(render_error(problem))
        await self.close(code, problem.code)

    def mute(self) -> None:
        """Take and send nothing more; the connection still waits to be closed."""
        self._is_open = False

    async def close(self, code: CloseCode, reason: str) -> None:
        """End the connection; `receive` returns None from then on."""
        self.mute()
        if not self._is_closed:
            self._is_closed = True
            await self._write(
                {"type": "websocket.close", "code": int(code), "reason": reason}
            )

    async def _hand_over(self, payload: str) -> bool:
        if self._is_open:
            await self._write({"type": "websocket.send", "text": payload})
        return self._is_open

    async def _write(self, message: Message) -> None:
        """Pass a message to the server, which raises OSError when the client is gone."""
        try:
            await self._send(message)
        except OSError:
            self._is_open, self._is_closed = False, True


_NOT_TEXT = BadRequest("frames are JSON text", fix=["send text frames"])
_TOO_LONG = TooLarge("a frame has at most 64 KiB", fix=["send less at once"])


def _is_long(text: str) -> bool:
    """Compare with the limit; UTF-8 has four bytes a character at most."""
    return len(text) * 4 > FRAME_BYTES and len(text.encode()) > FRAME_BYTES
