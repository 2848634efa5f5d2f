"""A closed-loop load generator: N connections, each sends again once it is answered.

It has to cost far less than the servers it measures, so there is no HTTP library in
it: requests are bytes built beforehand, and an answer is read no further than needed.
"""

import asyncio
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvloop

from benchmarks.connection import Connection, LoadFailed, Tally
from benchmarks.cores import client_core, pinned
from benchmarks.servers import Server, machine_seconds

_WARM_UP_SECONDS = 0.5
_PATIENCE_SECONDS = 15


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
            the share of one core that server, client and all other processes of the
            machine used (1.0 is one whole core).
    """

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    server_busy: float
    client_busy: float
    others_busy: float
    acknowledged: int


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
    server: float
    client: float
    others: float


async def _measure(load: Load, tally: Tally) -> _Window:
    tally.take()
    before = _clocks(load.server)
    await asyncio.sleep(load.seconds)
    latencies, after = tally.take(), _clocks(load.server)
    wall, server, client, others = (
        end - start for start, end in zip(before, after, strict=True)
    )
    return _Window(
        latencies=latencies, wall=wall, server=server, client=client, others=others
    )


def _clocks(server: Server) -> tuple[float, float, float, float]:
    """Return wall time, and the CPU time of server, client and all others."""
    ours = server.cpu_seconds(), time.process_time()
    return time.perf_counter(), *ours, machine_seconds() - sum(ours)


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
        server_us=window.server / len(ordered) * 1_000_000,
        server_busy=window.server / window.wall,
        client_busy=window.client / window.wall,
        others_busy=max(0.0, window.others / window.wall),
        acknowledged=tally.acknowledged,
    )


def quantile(ordered: list[float], share: float) -> float:
    """Return the value below which `share` of the ordered values lie (nearest rank)."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
