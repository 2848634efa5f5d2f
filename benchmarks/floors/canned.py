"""A fixed answer to every read: shows how fast the load generator is by itself."""

import asyncio
import sys
from typing import cast

import uvloop

_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n"
    b'{"line":""}'
)


class Canned(asyncio.Protocol):
    """Takes every read for one whole request, which holds for a client that waits."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Answer without looking."""
        self._transport.write(_ANSWER)


async def serve(port: int) -> None:
    """Answer on `port` until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
