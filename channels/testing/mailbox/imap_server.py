"""The built-in IMAP server on a loopback port."""

import asyncio
from asyncio import StreamReader, StreamWriter
from socket import socket

from channels.testing.mailbox.faults import Faults
from channels.testing.mailbox.imap_session import ImapSession
from channels.testing.mailbox.store import Mailboxes

_FOREVER = 86_400.0


class ImapServer:
    """Serves the folders of all addresses to whoever knows their passwords.

    Shape:  `connections` counts how many there ever were; without `has_idle` clients
            have to ask again and again.
    Units:  `kick_seconds` is how long an IDLE may last before it is ended with a BYE.
    """

    def __init__(self, boxes: Mailboxes, faults: Faults) -> None:
        self.kick_seconds = _FOREVER
        self.has_idle = True
        self.port = 0
        self.connections = 0
        self._boxes = boxes
        self._faults = faults
        self._serving: dict[asyncio.Task[None], ImapSession] = {}
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket | None = None) -> None:
        """Serve a socket that listens, or listen; on the port of before, if any."""
        if listening is not None:
            self._server = await asyncio.start_server(self._accept, sock=listening)
        else:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port
            )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up on everybody and stop listening, as a crash would."""
        if self._server is None:
            return
        self._server.close()
        serving = dict(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        for session in serving.values():
            session.close()
        await self._server.wait_closed()
        self._server = None

    def freeze(self) -> int:
        """Leave the present connections half open: silent, deaf, not closed; count them."""
        for session in self._serving.values():
            session.freeze()
        return len(self._serving)

    def cut(self) -> None:
        """End the present connections, and go on serving new ones."""
        for session in self._serving.values():
            session.close()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        session = ImapSession(
            reader,
            writer,
            boxes=self._boxes,
            faults=self._faults,
            kick_seconds=lambda: self.kick_seconds,
            has_idle=self.has_idle,
        )
        task = asyncio.create_task(session.serve(), name="built-in-imap")
        self._serving[task] = session
        task.add_done_callback(self._serving.pop)
        self.connections += 1
