"""Hears of commits on whatever thread they are told, and rings on an event loop."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from core.kernel.principal import TenantId


class Hearing:
    """Collects which tenants changed, and rings once until they are taken.

    Shape:  `hear` is for `Database.on_commit`, on any thread; it rings too when no
            tenants are named, for a line that was down cannot name them. `ring` is
            called on the loop of `begin`; what is told before that is passed over.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._changed: set[TenantId] = set()
        self._is_told = False
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def has_begun(self) -> bool:
        """Whether anybody listens."""
        return self._loop is not None

    def begin(self) -> None:
        """Ring on the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            self._is_told = False

    def hear(self, tenants: set[TenantId]) -> None:
        """Note that these tenants changed."""
        loop = self._loop
        if loop is None:
            return
        with self._lock:
            was_told, self._is_told = self._is_told, True
            self._changed |= tenants
        if not was_told:
            # A loop that was closed meanwhile has nobody left who waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._ring)

    def taken(self) -> set[TenantId]:
        """Take what changed since the last time; the next change rings again."""
        with self._lock:
            changed, self._changed = self._changed, set()
            self._is_told = False
        return changed
