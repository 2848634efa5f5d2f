"""A bell for one listener: cheaper than an event, and no ring is lost."""

import asyncio


class Bell:
    """Wakes the one task that waits for it, now or when it next waits.

    Shape:  rings are not counted: however many there were, one wait uses them up.
    """

    __slots__ = ("_has_rung", "_waiter")

    def __init__(self) -> None:
        self._has_rung = False
        self._waiter: asyncio.Future[None] | None = None

    def ring(self) -> None:
        """Wake the listener; on the thread of its event loop."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._has_rung = True
        else:
            waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for a ring, unless there was one since the last wait."""
        if not self._has_rung:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._has_rung = False
