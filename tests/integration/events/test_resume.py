"""A reader that is cut again and again sees what a steady reader sees."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable

import orjson
import pytest

from core.events import service as events
from core.kernel.principal import system
from gateway.opening import open_database
from tests.integration.served import Served

WRITERS = 8
EACH = 375
LAST = "writing_finished"

Serving = Callable[..., Awaitable[Served]]


async def write_all(gateway: Served) -> None:
    """Have eight writers append 3,000 events side by side, and then one more."""

    async def write(writer: int) -> None:
        async with gateway.client() as client:
            for number in range(EACH):
                body = {"event": "ping_sent", "target": f"{writer}-{number}"}
                response = await client.post("/collab/events", json=body)
                assert response.is_success, response.text

    async with asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(write(writer))
    gateway.note(LAST)


async def read_steadily(gateway: Served, since: int) -> list[bytes]:
    """Read every event's line until the last one."""
    lines: list[bytes] = []
    async with gateway.following(f"?since={since}") as follower:
        while not lines or orjson.loads(lines[-1])["event"] != LAST:
            lines.append((await follower.event()).data.encode())
    return lines


async def read_with_cuts(
    gateway: Served, since: int, chance: random.Random
) -> list[bytes]:
    """Read the same over connections that are reset after some bytes or some time."""
    place, lines, cuts = str(since), list[bytes](), 0
    while not lines or orjson.loads(lines[-1])["event"] != LAST:
        place, got = await read_piece(gateway, place, chance)
        lines += got
        cuts += 1
    assert cuts > 10, "it was hardly ever cut"
    return lines


async def read_piece(
    gateway: Served, place: str, chance: random.Random
) -> tuple[str, list[bytes]]:
    """Connect, read for 50 to 600 ms, reset the connection; keep whole messages only."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(gateway.request(last_id=place))
    number, lines = place, list[bytes]()
    try:
        async with asyncio.timeout(chance.uniform(0.05, 0.6)):
            while line := await reader.readline():
                if line.startswith(b"id: "):
                    number = line[4:].strip().decode()
                elif line.startswith(b"data: "):
                    data = line[6:].rstrip(b"\n")
                    assert await reader.readline() == b"\n"
                    lines.append(data)
                    place = number
                    if orjson.loads(data)["event"] == LAST:
                        break
    except TimeoutError:
        pass
    reset(writer)
    return place, lines


def reset(writer: asyncio.StreamWriter) -> None:
    """Break a connection off without saying goodbye."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_reader_that_is_cut_misses_and_doubles_nothing(
    gateway: Served, seed: int
) -> None:
    """R-33, M-EVT-04, M-EVT-09: no gap, no double, the order of a steady reader."""
    begin = gateway.graph.db.look(lambda tx: tx.event_seq, by=system())

    async with asyncio.TaskGroup() as group:
        steady = group.create_task(read_steadily(gateway, begin))
        cut = group.create_task(read_with_cuts(gateway, begin, random.Random(seed)))
        group.create_task(write_all(gateway))

    seqs = [orjson.loads(line)["seq"] for line in steady.result()]
    assert seqs == list(range(begin + 1, begin + len(seqs) + 1))
    assert len(seqs) == WRITERS * EACH + 1
    assert cut.result() == steady.result()


async def test_a_tail_goes_on_after_a_restart(serving: Serving) -> None:
    """R-33: the place outlives the process that gave it."""
    first = await serving()
    async with first.following() as follower:
        first.note("before_restart")
        await follower.event()
    await first.stop()
    again = Served(first.graph.settings.data)
    await again.start()

    again.note("after_restart")
    async with again.following(last_id=follower.last_id) as follower:
        [event] = await follower.events(1)
    await again.stop()

    assert event["event"] == "after_restart"


async def test_what_another_process_writes_is_seen(gateway: Served) -> None:
    """R-30: no commit of ours tells of it; the tail looks by itself."""
    elsewhere = open_database(gateway.graph.settings)

    async with gateway.following("?type=note_left") as follower:
        elsewhere.run(lambda tx: events.report(tx, "note_left"), by=system())
        [event] = await follower.events(1)
    elsewhere.close()

    assert event["event"] == "note_left"
