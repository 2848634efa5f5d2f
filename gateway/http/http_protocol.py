"""uvicorn's HTTP, which also lets go of a client that no longer reads."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

STALL_SECONDS = 30.0


class BoundedHttp(HttpToolsProtocol):
    """A connection that ends for good when nothing of it was read for 30 s.

    Whoever writes waits while a client does not read. Here, at the transport, the wait
    is bounded once for all responses, and costs those who do read nothing.
    """

    stall_seconds = STALL_SECONDS
    _stall: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Begin to lose patience; more is buffered than the client has read."""
        super().pause_writing()
        self._stall = self.loop.call_later(self.stall_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Be patient again."""
        super().resume_writing()
        self._calm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        super().connection_lost(exc)
        self._calm()

    def shutdown(self) -> None:
        """End after the response under way, at once when nobody reads it."""
        super().shutdown()
        if self._stall is not None:
            self.transport.abort()

    def _calm(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
