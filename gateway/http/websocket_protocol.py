"""uvicorn's WebSocket, which also lets go of a client that no longer reads."""

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """A connection that ends for good some seconds after it was given up.

    A transport that is closed waits until its buffer was read. A client that never
    reads would keep its socket, its buffer and whoever waits to write into it for ever.
    """

    grace_seconds = 5.0

    def keepalive_timeout(self) -> None:
        """Give up a client that left a ping unanswered."""
        super().keepalive_timeout()
        self.loop.call_later(self.grace_seconds, self.transport.abort)

    async def run_asgi(self) -> None:
        """Serve the connection; what is unread some seconds after that is dropped."""
        await super().run_asgi()
        self.loop.call_later(self.grace_seconds, self.transport.abort)
