"""What one client may take, and what is left when it is gone."""

import asyncio
import os
import resource
import socket
import struct

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.frames import Frame, Opcode

from gateway.http.websocket_protocol import BoundedWebSocket
from tests.integration.websocket.conftest import Serve
from tests.integration.websocket.gateway import ADMIN_KEY, Client, Gateway

UPGRADE = (
    "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Authorization: Bearer {key}\r\n{more}\r\n"
)


async def raw_session(
    gateway: Gateway, more: str = ""
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a session by hand, so that frames can be malformed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = UPGRADE.format(port=gateway.port, key=ADMIN_KEY, more=more)
    writer.write(head.encode())
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_sessions_of_one_person_are_counted(serve: Serve) -> None:
    gateway = await serve(sessions_each=2)
    _, bobs_key = gateway.make_key("bob")
    async with gateway.connected() as first, gateway.connected():
        async with connect(
            gateway.url(), additional_headers={"X-API-Key": ADMIN_KEY}
        ) as raw:
            third = Client(raw)
            assert (await third.take("error"))["code"] == "too_many_sessions"
            assert await third.closed() == 1013
        async with gateway.connected(key=bobs_key):
            pass
        again = {"session": first.welcome["session"], "seq": 0}
        async with gateway.greeted(resume=again) as resumed:
            assert resumed.welcome["resumed"] is True
    async with gateway.connected():
        pass


async def test_sockets_are_counted_before_the_upgrade(serve: Serve) -> None:
    """Those that have not said hello, too."""
    gateway = await serve(sockets=2)
    async with connect(gateway.url()), connect(gateway.url()):
        with pytest.raises(InvalidStatus) as refused:
            async with connect(gateway.url()):
                pass
        assert refused.value.response.status_code == 503


async def test_revoked_key_is_cut(gateway: Gateway) -> None:
    """`R-06`: within one round of the recheck; whoever else is there stays."""
    key_id, key = gateway.make_key("bob")
    async with gateway.connected(key=key) as bob, gateway.connected() as admin:
        await gateway.door.recheck()
        assert (await bob.exec("x1", "task list"))["reply"]["status"] == "ok"

        gateway.revoke(key_id)
        await gateway.door.recheck()

        assert (await bob.take("error"))["code"] == "unauthenticated"
        assert await bob.closed() == 1008
        assert (await admin.exec("x1", "task list"))["reply"]["status"] == "ok"


async def test_shutdown_closes_with_a_restart_code(serve: Serve) -> None:
    """`R-29`: and what was acknowledged is there afterwards."""
    gateway = await serve()
    async with gateway.connected() as client:
        await client.exec("x1", 'task create "Kept"')

        await gateway.restart()

        assert await client.closed() in (1001, 1012)
    assert gateway.titles() == ["Kept"]


async def test_places_return_when_clients_vanish(gateway: Gateway) -> None:
    """`R-39`: 300 sockets are reset; descriptors and places come back."""
    before = open_descriptors()
    for _ in range(6):
        writers = [(await raw_session(gateway))[1] for _ in range(50)]
        for writer in writers:
            raw: socket.socket = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async with asyncio.timeout(10):
        while gateway.door.sessions.open_count or open_descriptors() > before:
            await _next_turn()


async def _next_turn() -> None:
    """Let the loop do what is due."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.005, done.set_result, None)
    await done


async def test_empty_fragments_cost_nothing(gateway: Gateway) -> None:
    """`R-39`: 20,000 of them, then the end of the message."""
    reader, writer = await raw_session(gateway)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = Frame(Opcode.TEXT, b'{"t":"pi', fin=False).serialize(mask=True)
    empty = Frame(Opcode.CONT, b"", fin=False).serialize(mask=True)
    end = Frame(Opcode.CONT, b'ng"}', fin=True).serialize(mask=True)

    writer.write(start + empty * 20_000 + end)
    seen = b""
    while b"pong" not in seen:
        seen += await asyncio.wait_for(reader.read(65_536), 10)
    writer.transport.abort()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 60 * 1024


async def test_compression_is_not_negotiated(gateway: Gateway) -> None:
    """`R-39`: what is never inflated cannot be a bomb."""
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    reader, writer = await raw_session(gateway, offer)
    bomb = bytearray(Frame(Opcode.TEXT, b"\xaa" * 1_000).serialize(mask=True))
    bomb[0] |= 0x40  # the bit that says "compressed"

    writer.write(bomb)
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.transport.abort()

    assert struct.pack(">H", 1002) in answer


async def flood(gateway: Gateway) -> asyncio.StreamWriter:
    """Ask for 16 MiB of answers and read none of them; return the connection."""
    async with gateway.connected() as client:
        for number in range(20):
            title = f"{number} " + "x" * 180
            await client.exec(f"c{number}", f'task create "{title}"')
    _, writer = await raw_session(gateway)
    ask = [
        Frame(Opcode.TEXT, b'{"t":"exec","id":"x%d","line":"task list"}' % number)
        for number in range(3_000)
    ]
    writer.write(b"".join(frame.serialize(mask=True) for frame in ask))
    return writer


async def test_client_that_never_reads_costs_little(gateway: Gateway) -> None:
    """`R-35`: its own commands stop, those of others go on, and nothing piles up."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writer = await flood(gateway)

    async with gateway.connected() as other:
        for number in range(50):
            assert (await other.exec(f"y{number}", "task list"))["t"] == "reply"

    writer.transport.abort()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 60 * 1024


async def test_client_that_never_reads_is_let_go(serve: Serve) -> None:
    """`R-35`: though its transport would wait for ever to be emptied."""
    gateway = await serve(server={"protocol": Hasty, "ping_seconds": 0.2})
    writer = await flood(gateway)

    async with asyncio.timeout(10):
        while gateway.door.sessions.open_count:
            await _next_turn()

    writer.transport.abort()


class Hasty(BoundedWebSocket):
    """A connection that is given up without much ado."""

    grace_seconds = 0.05
