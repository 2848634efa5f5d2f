"""Answers that stay open: how many there are, who reads them, and when they end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Protocol

from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from gateway.bell import Bell


class Validity(Protocol):
    """Knows whether a credential that was accepted still is."""

    async def is_still_valid(self, principal: Principal) -> bool:
        """Tell whether an open connection of this principal may go on."""


class Stream:
    """One open answer. Its bell rings when there is something to do or to say.

    Shape:  `is_due` says that a sign of life is due; whoever gives it clears that.
            `is_over` says that the answer is to be ended now.
    """

    def __init__(self, principal: Principal, *, due_at: float, ends_at: float) -> None:
        self.principal = principal
        self.bell = Bell()
        self.due_at = due_at
        self.ends_at = ends_at
        self.is_due = False
        self.is_over = False

    def end(self) -> None:
        """Have the answer ended, by the task that gives it."""
        self.is_over = True
        self.bell.ring()


class Streams:
    """All open answers of this process.

    Units:  each hears a sign of life every `keep_alive` and ends after `lifetime`, so
            that connections spread over the gateways again; its client comes back.
    """

    def __init__(
        self, auth: Validity, *, most: int, keep_alive: timedelta, lifetime: timedelta
    ) -> None:
        self._auth = auth
        self._most = most
        self._keep_alive_seconds = keep_alive.total_seconds()
        self._lifetime_seconds = lifetime.total_seconds()
        self._open: set[Stream] = set()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def opened(self, principal: Principal) -> Iterator[Stream]:
        """Hold one of the places.

        Raises: Unavailable when all are taken, or the gateway is shutting down.
        """
        if self._is_closed:
            raise Unavailable("the gateway is shutting down", retry_after=2)
        if len(self._open) >= self._most:
            raise Unavailable(f"{self._most} streams are open here", retry_after=5)
        now = time.monotonic()
        stream = Stream(
            principal,
            due_at=now + self._keep_alive_seconds,
            ends_at=now + self._lifetime_seconds,
        )
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    async def beat(self) -> None:
        """Ring where a sign of life or the end is due; a ticker does so every second."""
        now = time.monotonic()
        for stream in self._open:
            if now >= stream.ends_at:
                stream.end()
            elif now >= stream.due_at:
                stream.due_at = now + self._keep_alive_seconds
                stream.is_due = True
                stream.bell.ring()

    async def recheck(self) -> None:
        """End the streams of everybody whose credential no longer holds.

        Raises: Unavailable when it cannot be asked; then nobody is cut off.
        """
        by_credential: dict[tuple[str, ...], list[Stream]] = {}
        for stream in self._open:
            who = stream.principal
            credential = (who.tenant, who.id, who.key_id, who.session)
            by_credential.setdefault(credential, []).append(stream)
        for streams in by_credential.values():
            if not await self._auth.is_still_valid(streams[0].principal):
                for stream in streams:
                    stream.end()

    def close(self) -> None:
        """End all streams and take no more."""
        self._is_closed = True
        for stream in self._open:
            stream.end()
