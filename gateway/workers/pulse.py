"""Keeps hold of a run while it is worked on, and hears what is wanted of it."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

from core.kernel.problems import LeaseLost, Unavailable
from gateway.workers.calls import Calls, Claimed

_LONGEST_PAUSE_SECONDS = 4.0
"""A cancelled step is dead within ten seconds, of which it has five for itself."""
_RETRY_SECONDS = 1.0


class Pulse:
    """The heartbeat of one held run.

    Shape:  `cancelled` is set once the run is to end; `is_paused` while it is to wait,
            and `changed` is set whenever any of this changes.
    Units:  a lease is held for as long as it was granted, from when it was asked for,
            by this machine's monotonic clock; what is further away is nobody's guess.
    """

    def __init__(self, calls: Calls, held: Claimed, *, lease: timedelta) -> None:
        self._calls = calls
        self._held = held
        self._lease = lease.total_seconds()
        self._every = min(self._lease / 3, _LONGEST_PAUSE_SECONDS)
        self._until = time.monotonic() + self._lease
        self._due = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.changed = asyncio.Event()
        self.is_paused = False

    @property
    def is_over(self) -> bool:
        """Whether the lease can no longer be ours."""
        return time.monotonic() >= self._until

    def hurry(self) -> None:
        """Ask at once what is wanted: somebody says that there is something."""
        self._due.set()

    def lost(self) -> LeaseLost:
        """Say that the run cannot be ours any more."""
        return LeaseLost(
            f"the lease of {self._held.run_id} ran out while the queue was away",
            fix=[f"run show {self._held.run_id}"],
        )

    async def run(self) -> None:
        """Beat until cancelled.

        Raises: LeaseLost when the run is not ours any more, or cannot be.
        """
        while True:
            begun = time.monotonic()
            reached = await self._beat()
            if reached:
                self._until = begun + self._lease
            elif self.is_over:
                raise self.lost()
            await self._wait(self._every if reached else _RETRY_SECONDS)

    async def _beat(self) -> bool:
        left = max(self._until - time.monotonic(), 0.1)
        try:
            async with asyncio.timeout(left):
                beat = await self._calls.beat(self._held)
        except (Unavailable, TimeoutError):
            return False
        if beat.cancel:
            self.cancelled.set()
        self.is_paused = beat.pause
        self.changed.set()
        return True

    async def _wait(self, seconds: float) -> None:
        seconds = min(seconds, max(self._until - time.monotonic(), 0))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._due.wait()
        self._due.clear()
