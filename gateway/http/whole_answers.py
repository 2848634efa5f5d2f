"""Heads and bodies of responses that leave in one piece."""

from asyncio import AbstractEventLoop, Transport


class WholeAnswer(Transport):
    """A connection's transport, as the one response uses it that is written to it.

    uvicorn writes a head and then its body, and each write is a system call that wakes
    the client for half an answer. Here a head waits for what follows in the same turn
    of the loop.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._has_left = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write what follows the head at once, and the head with it."""
        if self._has_left:
            self._transport.write(data)
        elif self._head:
            self._has_left = True
            self._transport.writelines((self._head, data))
        else:
            self._head = bytes(data)
            self._loop.call_soon(self._let_go)

    def is_closing(self) -> bool:
        """Tell whether the connection is coming to its end."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the connection once everything has left."""
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        """Write a head that nothing has followed yet, as that of a stream."""
        if self._head and not self._has_left:
            self._has_left = True
            if not self._transport.is_closing():
                self._transport.write(self._head)
