"""R-53: what is malformed is refused once, and whoever is slow is let go."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from tests.api.fuzz.served import WHOAMI, Hasty, Served, served
from tests.api.gateway import ADMIN_KEY, Gateway

KEY = ADMIN_KEY.encode()
POST = b"POST /v1/commands HTTP/1.1\r\nAuthorization: Bearer " + KEY + b"\r\n"
HOST = b"Host: a\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
BODY = b'{"line":"whoami"}'
WHOLE = b"%x\r\n%s\r\n" % (len(BODY), BODY)
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

MALFORMED: Mapping[str, bytes] = {
    "length and chunks": POST
    + HOST
    + b"Content-Length: 5\r\n"
    + CHUNKED
    + b"\r\n0\r\n\r\n",
    "chunks and length": POST + HOST + CHUNKED + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": POST + HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "the same length twice": POST
    + HOST
    + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": POST + HOST + b"Content-Length: 5, 5\r\n\r\nhello",
    "a plus in a length": POST + HOST + b"Content-Length: +5\r\n\r\nhello",
    "a negative length": POST + HOST + b"Content-Length: -5\r\n\r\nhello",
    "a hexadecimal length": POST + HOST + b"Content-Length: 0x5\r\n\r\nhello",
    "an endless length": POST
    + HOST
    + b"Content-Length: "
    + b"9" * 30
    + b"\r\n\r\nhello",
    "an empty length": POST + HOST + b"Content-Length:\r\n\r\nhello",
    "an unknown coding": POST + HOST + b"Transfer-Encoding: xchunked\r\n\r\n",
    "a coding after chunked": POST
    + HOST
    + b"Transfer-Encoding: chunked, identity\r\n\r\n",
    "a coding before chunked": POST
    + HOST
    + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + HOST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "a control before chunked": POST
    + HOST
    + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunks in 1.0": POST.replace(b"1.1", b"1.0") + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "a negative chunk": POST + HOST + CHUNKED + b"\r\n-1\r\n\r\n",
    "a 0x chunk": POST + HOST + CHUNKED + b"\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "an endless chunk size": POST + HOST + CHUNKED + b"\r\n" + b"F" * 20 + b"\r\nhello",
    "a bare line feed after a chunk size": POST
    + HOST
    + CHUNKED
    + b"\r\n5\nhello\n0\n\n",
    "a chunk longer than it says": POST
    + HOST
    + CHUNKED
    + b"\r\n5\r\nhelloX\r\n0\r\n\r\n",
    "a space after a chunk size": POST
    + HOST
    + CHUNKED
    + b"\r\n5 \r\nhello\r\n0\r\n\r\n",
    "a line feed in a chunk extension": POST
    + HOST
    + CHUNKED
    + b"\r\n5;a=\n\r\nhello\r\n0\r\n\r\n",
    "a folded header": POST + HOST + b"X: a\r\n b\r\n\r\n",
    "a header folded at once": POST + HOST + b"X:\r\n b\r\n\r\n",
    "a bare carriage return": POST + b"Host: a\rX: b\r\n\r\n",
    "bare line feeds": POST.replace(b"\r\n", b"\n") + b"Host: a\n\n",
    "a space before the colon": POST + b"Host : a\r\n\r\n",
    "a space before the first header": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "no colon": POST + b"Host\r\n\r\n",
    "no name": POST + HOST + b": b\r\n\r\n",
    "NUL in a value": POST + HOST + b"X: a\0b\r\n\r\n",
    "NUL in a name": POST + HOST + b"X\0: a\r\n\r\n",
    "no host": POST + b"\r\n",
    "two hosts": POST + HOST + b"Host: b\r\n\r\n",
    "version 2.0": b"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "version 1.2": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "version 1.11": b"GET / HTTP/1.11\r\nHost: a\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "the preface of version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an invented method": b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a method that is none": b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "tabs in the first line": b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in the path": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "bytes that are no path": b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "a TLS greeting": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.fixture
async def here(gateway: Gateway) -> AsyncIterator[Served]:
    async with served(gateway) as found:
        yield found


@pytest.fixture
async def hasty(gateway: Gateway) -> AsyncIterator[Served]:
    async with served(gateway, Hasty) as found:
        yield found


async def test_what_two_servers_could_read_differently_is_refused(here: Served) -> None:
    """R-53: one refusal, the connection closed, nothing after it is read."""
    assert len(MALFORMED) >= 36
    for name, request in MALFORMED.items():
        answered = await here.say(request + SMUGGLED)

        assert len(answered.statuses) == 1, (name, answered)
        assert answered.statuses[0] in {400, 505}, (name, answered)
        assert answered.is_closed, name
        assert answered.problem["code"] == "malformed_request", name
        assert answered.problem["fix"], name


async def test_a_whole_request_is_answered_and_its_connection_kept(
    here: Served,
) -> None:
    """R-53: in pieces of one byte, in chunks, and one after the other."""
    request = POST + HOST + CHUNKED + b"\r\n" + WHOLE + b"0\r\n\r\n"

    answered = await here.say(
        *(request[i : i + 1] for i in range(len(request))), request + WHOAMI, answers=3
    )

    assert answered.statuses == [200, 200, 200]
    assert not answered.is_closed


async def test_a_trailer_does_not_pass_for_a_header(here: Served) -> None:
    """R-53: a proxy that filters headers need not filter trailers."""
    head = b"POST /v1/commands HTTP/1.1\r\nHost: a\r\n" + CHUNKED + b"\r\n"
    trailer = b"0\r\nAuthorization: Bearer " + KEY + b"\r\n\r\n"

    answered = await here.say(head + WHOLE + trailer, answers=1)

    assert answered.statuses == [401]


@pytest.mark.parametrize(
    "head",
    [
        POST + HOST + b"X: " + b"a" * 1_048_576 + b"\r\n\r\n",
        POST + HOST + b"".join(b"X%d: a\r\n" % i for i in range(20_000)) + b"\r\n",
        b"GET /" + b"a" * 1_048_576 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"A" * 1_048_576,
    ],
    ids=["value", "count", "path", "method"],
)
async def test_a_head_of_a_megabyte_is_refused(here: Served, head: bytes) -> None:
    """R-53: 431, or 400 when it is no head at all."""
    answered = await here.say(head)

    assert answered.is_closed
    assert answered.statuses in ([431], [400])
    await here.require_whoami()


@pytest.mark.parametrize(
    "rest",
    [
        b"0\r\n" + b"".join(b"X%d: a\r\n" % i for i in range(200_000)) + b"\r\n",
        b"1;" + b"a" * 40_000_000,
    ],
    ids=["trailers", "extension"],
)
async def test_what_comes_beside_a_body_is_bounded(here: Served, rest: bytes) -> None:
    """R-53: 200,000 trailers, and a chunk extension that never ends."""
    sent = asyncio.create_task(here.say(POST + HOST + CHUNKED + b"\r\n", rest))

    await asyncio.sleep(0)
    await here.require_whoami()
    answered = await sent

    assert answered.is_closed
    assert answered.statuses in ([431], [413])


async def test_many_small_chunks_hold_nobody_up(here: Served) -> None:
    """R-53: 200,000 chunks of one byte."""
    chunks = b"".join(b"1\r\n \r\n" for _ in range(200_000))
    sent = asyncio.create_task(
        here.say(
            POST + HOST + CHUNKED + b"\r\n", chunks, WHOLE + b"0\r\n\r\n", answers=1
        )
    )

    for _ in range(20):
        await here.require_whoami()
    answered = await sent

    assert answered.statuses == [200]


async def test_a_pipeline_is_answered_in_turn_and_bounded(here: Served) -> None:
    """R-53: what was asked before is answered, and then the connection ends."""
    few = await here.say(WHOAMI * 10, answers=10)
    many = await here.say(WHOAMI * 2_000)

    assert few.statuses == [200] * 10
    assert many.is_closed
    assert len(many.statuses) < 100
    assert set(many.statuses) == {200}


async def test_slow_heads_are_let_go_and_hold_nobody_up(hasty: Served) -> None:
    """R-53: 400 clients that never finish a head; here after half a second each."""

    async def drip() -> list[int]:
        pieces = [b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"X: "]
        return (await hasty.say(*pieces, patience=10)).statuses

    slow = [asyncio.create_task(drip()) for _ in range(400)]
    for _ in range(10):
        await hasty.require_whoami()

    assert {tuple(each) for each in await asyncio.gather(*slow)} == {(408,)}


@pytest.mark.parametrize(
    "begun",
    [b"", b"\r\n", POST + HOST + b"Content-Length: 9\r\n\r\n{", SMUGGLED + b"GE"],
    ids=["nothing", "an empty line", "half a body", "half a second head"],
)
async def test_silence_is_not_waited_out(hasty: Served, begun: bytes) -> None:
    """R-53: whoever says nothing more is told so, and let go."""
    answered = await hasty.say(begun, patience=5)

    assert answered.is_closed
    assert answered.statuses[-1:] == [408]


async def test_stray_bytes_do_not_keep_a_connection(hasty: Served) -> None:
    """R-53: an empty line between requests is nothing, and buys no time."""
    reader, writer = await hasty.connect()
    writer.write(SMUGGLED)
    await reader.readuntil(b'"ok"}')

    writer.write(b"\r\n")

    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
    writer.close()


async def test_a_body_that_is_too_large_is_refused_before_it_comes(
    here: Served,
) -> None:
    """R-51: 413 on the head alone; nothing of it is held."""
    head = POST + HOST + b"Content-Length: 5000000\r\n\r\n"

    answered = await here.say(head, answers=1)

    assert answered.statuses == [413]


async def test_a_method_that_a_path_does_not_take_is_named(here: Served) -> None:
    """R-53: 405 with all methods of the path, for those nobody uses as well."""
    request = b"%s /collab/tasks HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"

    for method in (b"HEAD", b"OPTIONS", b"TRACE", b"PROPFIND", b"DELETE", b"PUT"):
        answered = await here.say(request % method, answers=1)

        assert answered.statuses == [405], method
        assert b"allow: GET, POST\r\n" in answered.raw
