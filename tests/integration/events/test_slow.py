"""Readers who do not read cost little and hold nobody up."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import psutil  # type: ignore[import-untyped]
import pytest

from core.kernel.principal import system
from tests.integration.served import Served

Serving = Callable[..., Awaitable[Served]]
MIB = 1_048_576


async def flood(gateway: Served, *, events: int, size: int) -> None:
    """Append that many events with `size` bytes each, in units of 100."""
    for _ in range(events // 100):
        await asyncio.to_thread(gateway.note_many, 100, size=size)


async def test_silent_readers_are_cut_and_others_see_everything(
    gateway: Served,
) -> None:
    """R-35, M-EVT-08 in small: 20 mute readers under 8 MB; growth stays far below 20 x 8."""
    begin = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    mute = [await gateway.mute_reader() for _ in range(20)]
    async with gateway.following("?type=ping_sent") as follower:
        await until_open(gateway, 21)
        before = psutil.Process().memory_info().rss

        async with asyncio.TaskGroup() as group:
            group.create_task(flood(gateway, events=1_000, size=8_000))
            seen = await follower.events(1_000)
        growth = psutil.Process().memory_info().rss - before

    assert [each["seq"] for each in seen] == list(range(begin + 1, begin + 1_001))
    assert growth < 3 * 8 * MIB + 60 * MIB
    for writer in mute:
        writer.close()


async def test_a_mute_reader_is_let_go(serving: Serving) -> None:
    """M-EVT-08: once its buffers have been full for a while, for good."""
    gateway = await serving(streams={"keep_alive_seconds": 0.01})
    await flood(gateway, events=1_000, size=16_000)
    mute = await gateway.mute_reader("?since=0")

    await until_open(gateway, 1)
    await until_open(gateway, 0)

    mute.close()


@pytest.mark.soak
async def test_a_thousand_subscribers(gateway: Served) -> None:
    """R-34: 1,000 open, 100 never read, 200 x 2 KB; 900 complete, appends stay quick."""
    begin = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())
    before = psutil.Process().memory_info().rss
    mute = [await gateway.mute_reader() for _ in range(100)]
    waits: list[float] = []

    async with asyncio.TaskGroup() as group:
        readers = [group.create_task(numbers(gateway, 200)) for _ in range(900)]
        await until_open(gateway, 1_000)
        for _ in range(200):
            begun = time.perf_counter()
            await asyncio.to_thread(gateway.note_many, 1, size=2_000)
            waits.append(time.perf_counter() - begun)
    growth = psutil.Process().memory_info().rss - before

    expected = list(range(begin + 1, begin + 201))
    assert all(reader.result() == expected for reader in readers)
    assert growth < 350 * MIB
    assert sorted(waits)[int(len(waits) * 0.99)] < 0.25
    for writer in mute:
        writer.close()


async def numbers(gateway: Served, count: int) -> list[int]:
    """Read that many events as cheaply as can be; return their numbers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(gateway.request("?type=ping_sent"))
    found: list[int] = []
    number = 0
    while len(found) < count:
        line = await reader.readline()
        if line.startswith(b"id: "):
            number = int(line[4:])
        elif line.startswith(b"data: "):
            found.append(number)
    writer.close()
    await writer.wait_closed()
    return found


async def until_open(gateway: Served, count: int) -> None:
    """Wait until that many streams are open."""
    async with asyncio.timeout(30):
        while len(gateway.graph.streams) != count:
            await gateway.graph.db.read(lambda tx: tx.event_seq, by=system())
