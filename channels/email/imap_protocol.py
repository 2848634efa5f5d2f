"""aioimaplib, with the news of a lost connection that it keeps to itself.

aioimaplib is GPL-3.0 and an optional extra: this module is imported only where a
mailbox is read. As it comes, its IDLE never returns after a BYE, a command after a
drop waits for its whole timeout, and what a server says against the rules ends in a
task that nobody awaits. Here every such end is told once, by `lost`.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from aioimaplib import (  # type: ignore[import-untyped]  # it has no types
    IMAP4,
    AioImapException,
    IMAP4ClientProtocol,
)

Lost = Callable[[str], None]

# Besides what it raises by name, aioimaplib indexes and decodes what a server sent.
FAULTS: tuple[type[Exception], ...] = (
    AioImapException,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    ValueError,
)


class WatchedProtocol(IMAP4ClientProtocol):  # type: ignore[misc]  # it has no types
    """Tells of its end, of news in the mailbox, and refuses to be flooded.

    Units:  `most_bytes` is how much may come in between two commands of ours.
    """

    simple_commands = IMAP4ClientProtocol.simple_commands | {"STARTTLS"}

    def __init__(
        self, loop: asyncio.AbstractEventLoop, lost: Lost, *, most_bytes: int
    ) -> None:
        super().__init__(loop, lambda fault: lost(str(fault or "the server hung up")))
        self.news = asyncio.Event()
        self._lost = lost
        self._most_bytes = most_bytes
        self._unasked_bytes = 0

    def data_received(self, d: bytes) -> None:
        """Read what came; what is no IMAP ends the connection."""
        self._unasked_bytes += len(d)
        if self._unasked_bytes > self._most_bytes:
            self._end("the server sent more than was asked for")
            return
        try:
            super().data_received(d)
        except FAULTS as fault:
            self._end(f"the server does not speak IMAP: {type(fault).__name__}")

    def eof_received(self) -> None:
        """Take the end of the stream for the end of the connection."""
        self._lost("the server hung up")

    async def welcome(self, command: bytes) -> None:
        """Read the greeting; a bad one ends the connection instead of a lost task."""
        try:
            await super().welcome(command)
        except FAULTS:
            self._end("the server's greeting is no IMAP")

    def send(self, line: str, scrub: str | None = None) -> None:
        """Send a line; what comes from now on may be its answer."""
        self._unasked_bytes = 0
        super().send(line, scrub=scrub)

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        if self.transport is not None:
            self.transport.abort()
        for task in [*self.tasks]:
            task.cancel()

    def _untagged_response(self, line: bytes) -> Any:
        """Note what tells of a change, wherever aioimaplib would put it."""
        if line.startswith(b"* BYE") and self.state != "LOGOUT":
            self._lost("the server said BYE")
        elif line.endswith(b" EXISTS"):
            self.news.set()
        return super()._untagged_response(line)

    def _end(self, reason: str) -> None:
        self._lost(reason)
        self.abort()


class WatchedClient(IMAP4):  # type: ignore[misc]  # it has no types
    """A connection that uses the watched protocol, and STARTTLS if it is told to."""

    protocol: WatchedProtocol

    def __init__(
        self,
        host: str,
        port: int,
        *,
        lost: Lost,
        most_bytes: int,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._lost = lost
        self._most_bytes = most_bytes
        super().__init__(host, port, ssl_context=tls)

    def create_client(
        self,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None,
        conn_lost_cb: object = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Begin to connect."""
        running = asyncio.get_running_loop()
        self.protocol = WatchedProtocol(
            running, self._lost, most_bytes=self._most_bytes
        )
        self._client_task = running.create_task(
            running.create_connection(
                lambda: self.protocol, host, port, ssl=ssl_context
            )
        )

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Make a plain connection private before anybody signs in.

        What the server said before is asked for again, and what it slipped in behind
        its consent is refused: an attacker in between could have written it.
        """
        protocol = self.protocol
        answer = await protocol.simple_command("STARTTLS")
        if answer.result != "OK" or protocol.incomplete_line:
            raise ConnectionError("the server refuses STARTTLS")
        protocol.transport = await asyncio.get_running_loop().start_tls(
            protocol.transport, protocol, context, server_hostname=self.host
        )
        await protocol.capability()

    async def close_now(self) -> None:
        """Close at once and wait for everything that was begun."""
        self._client_task.cancel()
        begun = [self._client_task, *self.tasks, *self.protocol.tasks]
        self.protocol.abort()
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        self.protocol.abort()
