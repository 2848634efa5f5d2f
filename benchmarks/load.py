"""A closed-loop load generator: N connections, each sends again once it is answered.

It has to cost far less than the servers it measures, so there is no HTTP library in
it: requests are bytes built beforehand, and an answer is read no further than needed.
"""

import asyncio
import gc
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import uvloop

from benchmarks.cores import client_core, pinned
from benchmarks.servers import Server

Requests = Iterator[bytes]

_WARM_UP_SECONDS = 0.5
_PATIENCE_SECONDS = 15


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one sample sends: `clients` connections to a server, for some seconds."""

    server: Server
    connect: Callable[[Tally], Connection]
    clients: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one sample saw.

    Units:  answers per second, milliseconds, server CPU microseconds per answer, and
            the share of one core that server and client used (1.0 is all of it).
    """

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    server_busy: float
    client_busy: float
    acknowledged: int


def numbered(head: bytes, tail: bytes) -> Requests:
    """Yield requests with 16 hex digits between head and tail that never repeat.

    Starting from the clock keeps them unique over all samples: a generator never
    sends as many requests as nanoseconds pass.
    """
    for number in itertools.count(time.time_ns()):
        yield b"%b%016x%b" % (head, number, tail)


def sample(load: Load) -> Sample:
    """Run one sample on the client's core, without pauses for garbage collection.

    Raises: LoadFailed with the server's words when any answer was no success.
    """
    gc.collect()
    gc.disable()
    try:
        with (
            pinned(client_core()),
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop,
        ):
            return loop.run(_run(load))
    finally:
        gc.enable()


async def _run(load: Load) -> Sample:
    tally = Tally()
    connections = await _connect(load, tally)
    for each in connections:
        each.send()
    await asyncio.sleep(_WARM_UP_SECONDS)
    window = await _measure(load, tally)
    await _run_out(tally)
    for each in connections:
        each.close()
    if tally.refusal:
        raise LoadFailed(tally.refusal.decode(errors="replace"))
    return _summarise(tally, window)


async def _connect(load: Load, tally: Tally) -> list[Connection]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return [await _open(load, tally) for _ in range(load.clients)]
    except OSError as fault:
        raise LoadFailed(f"no connection: {fault!r}") from fault


async def _open(load: Load, tally: Tally) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: load.connect(tally), "127.0.0.1", load.server.port
    )
    await connection.is_open
    return connection


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """Wall and CPU seconds that passed while `latencies` were collected."""

    latencies: list[float]
    wall: float
    server_cpu: float
    client_cpu: float


async def _measure(load: Load, tally: Tally) -> _Window:
    tally.take()
    wall, server, client = (
        time.perf_counter(),
        load.server.cpu_seconds(),
        time.process_time(),
    )
    await asyncio.sleep(load.seconds)
    latencies = tally.take()
    return _Window(
        latencies=latencies,
        wall=time.perf_counter() - wall,
        server_cpu=load.server.cpu_seconds() - server,
        client_cpu=time.process_time() - client,
    )


async def _run_out(tally: Tally) -> None:
    """Let what is under way be answered, so that `acknowledged` is the whole truth."""
    tally.is_over = True
    if tally.in_flight:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await tally.is_quiet.wait()
        except TimeoutError as fault:
            raise LoadFailed(
                f"{tally.in_flight} requests were never answered"
            ) from fault


def _summarise(tally: Tally, window: _Window) -> Sample:
    ordered = sorted(window.latencies)
    if not ordered:
        raise LoadFailed("not one answer came")
    return Sample(
        rate=len(ordered) / window.wall,
        p50_ms=quantile(ordered, 0.50) * 1000,
        p99_ms=quantile(ordered, 0.99) * 1000,
        server_us=window.server_cpu / len(ordered) * 1_000_000,
        server_busy=window.server_cpu / window.wall,
        client_busy=window.client_cpu / window.wall,
        acknowledged=tally.acknowledged,
    )


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of the ordered values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
