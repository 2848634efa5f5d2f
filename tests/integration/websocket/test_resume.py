"""A client that was cut off gets what it missed: all of it, once, in order."""

import asyncio

import orjson
import pytest
from websockets.asyncio.client import connect

from channels.websocket.session import MOST_REPLAYED
from tests.integration.websocket.cuts import CuttingProxy, FaithfulClient
from tests.integration.websocket.gateway import Client, Frame, Gateway


def resume(client: Client, seq: int) -> Frame:
    return {"session": client.welcome["session"], "seq": seq}


async def test_missed_replies_are_sent_again(gateway: Gateway) -> None:
    """`R-40`: in order, from the first that was not seen."""
    async with gateway.connected() as client:
        first, *rest = [
            await client.exec(f"x{number}", f'task create "N {number}"')
            for number in range(4)
        ]
    async with gateway.greeted(resume=resume(client, first["seq"])) as again:
        missed = [await again.take("reply") for _ in range(3)]

    assert again.welcome["session"] == client.welcome["session"]
    assert (again.welcome["resumed"], again.welcome["gap"]) == (True, False)
    assert again.welcome["replayed"] == 3
    assert again.welcome["seq"] == rest[-1]["seq"]
    assert missed == rest


async def test_missed_replies_outlive_the_gateway(gateway: Gateway) -> None:
    """`R-40`: they are read from the inbox, so a restart makes no difference."""
    async with gateway.connected() as client:
        replies = [
            await client.exec(f"x{number}", f'task create "N {number}"')
            for number in range(3)
        ]
    await gateway.restart()
    async with gateway.greeted(resume=resume(client, 0)) as again:
        missed = [await again.take("reply") for _ in range(3)]
        once_more = await again.exec("x2", 'task create "N 2"')

    assert missed == replies
    assert once_more["reply"]["replayed"] is True
    assert once_more["seq"] == replies[-1]["seq"]
    assert len(gateway.titles()) == 3


async def test_reads_carry_the_cursor_and_are_resumed_too(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        write = await client.exec("x1", 'task create "One"')
        look = await client.exec("x2", "task list")
        last = await client.exec("x3", 'task create "Two"')
        after = await client.exec("x4", "task list")
    async with gateway.greeted(resume=resume(client, 0)) as again:
        missed = [await again.take("reply") for _ in range(4)]
    async with gateway.greeted(resume=resume(client, last["seq"])) as third:
        assert third.welcome["replayed"] == 0

    assert look["seq"] == write["seq"]
    assert missed == [write, look, last, after]


async def test_reply_that_nobody_was_there_for_is_kept(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        for number in range(8):
            await client.send(
                t="exec", id=f"x{number}", line=f'task create "N {number}"'
            )
        await client.send(t="exec", id="x8", line="task list")
        client.raw.transport.abort()
    async with gateway.greeted(resume=resume(client, 0)) as again:
        expected = again.welcome["replayed"] + len(again.welcome["pending"])
        seen = [await again.take("reply") for _ in range(expected)]

    ids = [frame["id"] for frame in seen]
    assert len(ids) == len(set(ids))
    assert len(gateway.titles()) == sum(1 for each in ids if each != "x8")


async def test_header_client_resumes_with_hello(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        reply = await client.exec("x1", 'task create "One"')
    headers = {"Authorization": "Bearer a-key-of-the-tests-that-opens-nothing-else"}
    async with connect(gateway.url(), additional_headers=headers) as raw:
        again = Client(raw)
        await again.send(t="hello", protocol=1, resume=resume(client, 0))

        assert (await again.take("welcome"))["resumed"] is True
        assert await again.take("reply") == reply


async def test_new_connection_takes_the_session_over(gateway: Gateway) -> None:
    async with (
        gateway.connected() as client,
        gateway.greeted(resume=resume(client, 0)) as again,
    ):
        assert await client.closed() == 4001
        reply = await again.exec("x1", "task list")

    assert reply["reply"]["status"] == "ok"


async def test_somebody_elses_session_is_a_gap(gateway: Gateway) -> None:
    """`R-59`: and its id is not theirs to use, before a restart or after."""
    _, bobs_key = gateway.make_key("bob")
    async with gateway.connected() as client:
        await client.exec("x1", 'task create "Secret"')
    for _ in range(2):
        async with gateway.greeted(key=bobs_key, resume=resume(client, 0)) as bob:
            await bob.send(t="ping")
            await bob.take("pong")
            assert (bob.welcome["replayed"], bob.welcome["seq"]) == (0, 0)
        await gateway.restart()


@pytest.mark.parametrize("seq", [1_000_000, 2])
async def test_seq_that_is_not_kept_is_a_gap(gateway: Gateway, seq: int) -> None:
    """`R-36`: never a silent gap, whether it is too old or was never given."""
    async with gateway.connected() as other:
        await other.exec("x1", 'task create "One"')
        await other.exec("x2", 'task create "Two"')
    async with gateway.connected() as client:
        last = await client.exec("x3", 'task create "Three"')
    async with gateway.greeted(resume=resume(client, seq)) as again:
        next_one = await again.exec("x4", 'task create "Four"')

    assert (again.welcome["resumed"], again.welcome["gap"]) == (False, True)
    assert again.welcome["session"] == client.welcome["session"]
    assert again.welcome["seq"] == last["seq"]
    assert next_one["seq"] > last["seq"]


@pytest.mark.parametrize(
    "session", ["", "x", "ws_1", "ws_" + "A" * 25 + "'", "W" * 200]
)
async def test_session_id_that_is_none_of_ours(gateway: Gateway, session: str) -> None:
    headers = {"Authorization": "Bearer a-key-of-the-tests-that-opens-nothing-else"}
    async with connect(gateway.url(), additional_headers=headers) as raw:
        client = Client(raw)
        hello = {"t": "hello", "protocol": 1, "resume": {"session": session, "seq": 0}}
        await raw.send(orjson.dumps(hello).decode())
        welcome = await client.take("welcome")

    assert welcome["session"].startswith("ws_")
    assert welcome["session"] != session


async def test_more_than_are_replayed_is_a_gap(gateway: Gateway) -> None:
    count = MOST_REPLAYED + 1
    async with gateway.connected() as client:
        for number in range(count):
            await client.send(t="exec", id=f"x{number}", line=f'task create "{number}"')
        seqs = [(await client.take("reply"))["seq"] for _ in range(count)]
    async with gateway.greeted(resume=resume(client, 0)) as again:
        assert again.welcome["gap"] is True
        assert again.welcome["seq"] == seqs[-1]
    async with gateway.greeted(resume=resume(client, seqs[0])) as third:
        missed = [await third.take("reply") for _ in range(MOST_REPLAYED)]

    assert [frame["seq"] for frame in missed] == seqs[1:]


def lines(count: int) -> list[str]:
    """Make writes, and a read after every four of them."""
    return [
        "task list --limit 3" if number % 5 == 0 else f'task create "N {number}"'
        for number in range(count)
    ]


def check(gateway: Gateway, client: FaithfulClient, count: int) -> None:
    """Check that everything was answered once, in order, and done once."""
    assert len(client.answers) == count
    assert client.gaps == 0
    assert client.doubles == []
    assert client.disorders == []
    assert sorted(gateway.titles()) == sorted(
        f"N {number}" for number in range(count) if number % 5
    )


@pytest.mark.parametrize(
    ("count", "cuts", "most_bytes"),
    [(600, 200, 6_000), pytest.param(5_000, 200, 40_000, marks=pytest.mark.soak)],
)
async def test_cuts_lose_nothing_and_double_nothing(
    gateway: Gateway, count: int, cuts: int, most_bytes: int
) -> None:
    """`R-40`: connections reset at random bytes, in whatever frame that is."""
    proxy = CuttingProxy(gateway.port, cuts=cuts, most_bytes=most_bytes)
    client = FaithfulClient(lines(count))

    async with proxy as port:
        await client.run(gateway.url(port))

    assert proxy.cut_count >= min(cuts, 100)
    check(gateway, client, count)


async def test_restarts_lose_nothing_and_double_nothing(gateway: Gateway) -> None:
    """`R-40`, `R-29`: the gateway goes down and up again under a busy client."""
    client = FaithfulClient(lines(600))
    running = asyncio.create_task(client.run(gateway.url()))

    for answered in (50, 150, 300):
        while len(client.answers) < answered:
            await asyncio.wait([running], timeout=0.005)
        await gateway.restart()
    await running

    assert client.connections >= 4
    check(gateway, client, 600)
