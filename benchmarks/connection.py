"""One connection in a closed loop, and the tally that all connections share."""

import asyncio
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import cast

Requests = Iterator[bytes]

NUMBER = "#" * 16  # where `numbered` writes digits of its own into each request


class LoadFailed(Exception):
    """The server refused, broke off or fell silent, so there is no rate to report."""


class Tally:
    """What all connections of one sample have seen.

    Units: `latencies` are seconds; `acknowledged` counts good answers of the whole
           sample, also those of warming up and running out.
    """

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.acknowledged = 0
        self.is_over = False
        self.in_flight = 0
        self.refusal = b""
        self.is_quiet = asyncio.Event()

    def start(self) -> None:
        """Count a request as sent."""
        self.in_flight += 1

    def finish(self, latency: float) -> None:
        """Count a good answer."""
        self.latencies.append(latency)
        self.acknowledged += 1
        self._leave()

    def refuse(self, answer: bytes) -> None:
        """Keep the first answer that was no success and stop the sample."""
        self.refusal = self.refusal or answer[:600]
        self.is_over = True
        self._leave()

    def take(self) -> list[float]:
        """Hand over the latencies since the last time."""
        taken, self.latencies = self.latencies, []
        return taken

    def _leave(self) -> None:
        self.in_flight -= 1
        if self.is_over and self.in_flight <= 0:
            self.is_quiet.set()


class Connection(asyncio.Protocol, ABC):
    """One connection; what it sends and how it reads answers is its subclass's."""

    def __init__(self, requests: Requests, tally: Tally) -> None:
        self.is_open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._tally = tally
        self._sent_at = 0.0
        self._is_waiting = False
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    @abstractmethod
    def data_received(self, data: bytes) -> None:
        """Read what came and call `answered` at the end of each answer."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report a connection that ended before its time."""
        if not self.is_open.done():
            self.is_open.set_exception(LoadFailed(f"closed at once: {self._buffer!r}"))
        elif self._is_waiting:
            self.answered(f"the server hung up: {exc}".encode(), is_good=False)

    def send(self) -> None:
        """Send the next request and start its clock."""
        self._tally.start()
        self._is_waiting = True
        self._sent_at = time.perf_counter()
        self.write(next(self._requests))

    def answered(self, answer: bytes, *, is_good: bool) -> None:
        """Count the answer and go on."""
        self._is_waiting = False
        if not is_good:
            self._tally.refuse(answer)
            return
        self._tally.finish(time.perf_counter() - self._sent_at)
        if not self._tally.is_over:
            self.send()

    def write(self, raw: bytes) -> None:
        """Put bytes on the wire."""
        assert self._transport is not None
        self._transport.write(raw)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def numbered(template: bytes) -> Requests:
    """Yield requests with 16 hex digits, which never repeat, in the place of `NUMBER`.

    Starting from the clock keeps them unique over all samples: a generator never
    sends as many requests as nanoseconds pass.
    """
    parts = template.split(NUMBER.encode())
    for number in itertools.count(time.time_ns()):
        yield (b"%016x" % number).join(parts)
