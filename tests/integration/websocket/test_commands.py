"""Commands, completion and events over one connection."""

from typing import Any

import orjson
import pytest

from core.database import Tx
from core.delivery import inbox
from core.events.tables import events
from core.kernel.principal import system
from tests.integration.websocket.conftest import Serve
from tests.integration.websocket.gateway import Client, Frame, Gateway


async def read(client: Client, count: int) -> list[Frame]:
    return [await client.receive() for _ in range(count)]


async def test_write_is_answered_with_the_stored_reply(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        frame = await client.exec("x1", 'task create "Fix login" --lane B')

    reply_id = frame["reply"]["id"]
    stored = gateway.graph.db.look(
        lambda tx: inbox.find_reply(tx, reply_id=reply_id), by=system()
    )
    assert stored is not None
    assert frame["id"] == "x1"
    assert frame["seq"] > 0
    assert frame["reply"] == orjson.loads(stored)
    assert frame["reply"]["channel"] == "websocket"
    assert "ansi" not in frame


async def test_command_by_name_is_the_same_as_its_line(gateway: Gateway) -> None:
    """`M-OMN-01`: both forms reach one command with the same arguments."""
    async with gateway.connected() as client:
        line = await client.exec("x1", 'task create "Fix login" --dod "tests,docs"')
        args: dict[str, Any] = {"title": "Fix login", "dod": ["tests", "docs"]}
        await client.send(t="exec", id="x2", command="task.create", args=args)
        call = await client.take("reply")

    assert call["reply"]["command"] == line["reply"]["command"]
    assert call["reply"]["data"]["id"] == "T-2"


async def test_same_id_runs_once(gateway: Gateway) -> None:
    """`R-03`: the id of an exec is its idempotency key."""
    async with gateway.connected() as client:
        first = await client.exec("x1", 'task create "Once"')
        again = await client.exec("x1", 'task create "Once"')
        other = await client.exec("x1", 'task create "Other"')

    assert again["reply"]["replayed"] is True
    assert again["reply"]["id"] == first["reply"]["id"]
    assert other["reply"]["error"]["code"] == "idempotency_key_reused"
    assert gateway.titles() == ["Once"]


async def test_cols_ask_for_terminal_text(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        frame = await client.exec("x1", "task list", cols=60)

    assert "No tasks" in frame["ansi"]


async def test_many_in_flight_are_answered_in_the_order_of_seq(
    gateway: Gateway,
) -> None:
    async with gateway.connected() as client:
        for number in range(200):
            line = "task list --limit 1" if number % 4 else f'task create "N {number}"'
            await client.send(t="exec", id=f"x{number}", line=line)
        frames = await read(client, 200)

    seqs = [frame["seq"] for frame in frames]
    stored = [
        f["seq"] for f in frames if f["reply"]["command"].startswith("task create")
    ]
    assert {frame["id"] for frame in frames} == {f"x{number}" for number in range(200)}
    assert seqs == sorted(seqs)
    assert len(set(stored)) == len(stored) == 50


async def test_refusal_of_a_command_is_a_reply(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        unknown = await client.exec("x1", "task crate x")
        missing = await client.exec("x2", "task show T-99")

    assert unknown["reply"]["error"]["code"] == "unknown_command"
    assert missing["reply"]["error"]["status"] == 404


async def test_rate_limit_is_a_reply(serve: Serve) -> None:
    gateway = await serve(server={"rate": "3/minute"})
    async with gateway.connected() as client:
        replies = [await client.exec(f"x{number}", "task list") for number in range(4)]

    error = replies[-1]["reply"]["error"]
    assert [each["reply"]["status"] for each in replies[:3]] == ["ok"] * 3
    assert error["code"] == "rate_limited"


async def test_what_steers_work_is_answered_above_the_limit(serve: Serve) -> None:
    """R-64."""
    gateway = await serve(server={"rate": "3/minute"})
    async with gateway.connected() as client:
        for number in range(3):
            await client.exec(f"x{number}", "task list")
        steering = [await client.exec(line, line) for line in ("help", "status")]
        work = await client.exec("x9", "task list")

    assert [each["reply"]["status"] for each in steering] == ["ok"] * 2
    assert work["reply"]["error"]["code"] == "rate_limited"


async def test_cancelled_command_is_no_longer_waited_for(gateway: Gateway) -> None:
    """The id tells its outcome all the same."""
    async with gateway.connected() as client:
        await client.send(t="exec", id="x1", line='task create "Perhaps"')
        await client.send(t="cancel", id="x1")
        first = await client.receive()
        await client.send(t="exec", id="x1", line='task create "Perhaps"')
        last = await client.receive()
        await client.send(t="cancel", id="x9")
        unknown = await client.take("error")

    assert first["t"] == "reply" or first["code"] == "cancelled"
    assert last["reply"]["status"] == "ok"
    assert gateway.titles() == ["Perhaps"]
    assert (unknown["code"], unknown["id"]) == ("not_found", "x9")


REFUSED = {"invalid_json", "invalid_argument", "unknown_flag"}
BAD_FRAMES = [
    "", "x", "{", "[]", "1", "null", '"hello"', "{}", '{"t":1}', '{"t":"exec"}',
    '{"t":"exec","id":"x1"}', '{"t":"exec","id":"","line":"task list"}',
    '{"t":"exec","id":"x1","line":1}', '{"t":"exec","id":"x1","line":"a","x":1}',
    '{"t":"exec","id":"x1","line":"a","command":"task.list"}',
    '{"t":"exec","id":"x1","line":"a","cols":true}', '{"t":"exec","id":"x1","args":{}}',
    '{"t":"ack","seq":-1}', '{"t":"ack","seq":1.5}', '{"t":"ack","seq":NaN}',
    '{"t":"complete","id":"c","line":"ab","pos":3}', '{"t":"drop"}',
    '{"t":"subscribe","id":"s","filter":{"types":[1]}}',
    '{"t":"subscribe","id":"s","filter":{"who":"ann"}}',
    '{"t":"hello","protocol":1}', '{"t":"exec","id":"\\ud800","line":"task list"}',
    "[" * 30_000, '{"t":"exec","id":"' + "x" * 300 + '","line":"task list"}',
]  # fmt: skip


async def test_bad_frame_is_an_error_frame_and_harms_nothing(gateway: Gateway) -> None:
    """`R-51`: a clear answer, and the next frame is served."""
    async with gateway.connected() as client:
        for number, text in enumerate(BAD_FRAMES):
            await client.raw.send(text)
            error = await client.take("error")
            reply = await client.exec(f"y{number}", "task list")

            assert error["code"] in REFUSED, text
            assert error["fix"], text
            assert reply["reply"]["status"] == "ok", text


async def test_error_names_the_frame_it_is_about(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        await client.send(t="exec", id="x7", line=1)

        assert (await client.take("error"))["id"] == "x7"


async def test_ten_bad_frames_in_a_row_are_enough(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        for _ in range(9):
            await client.raw.send("{")
        await client.send(t="ping")
        for _ in range(10):
            await client.raw.send("{")
        kinds = [(await client.receive())["t"] for _ in range(20)]

        assert kinds == ["error"] * 9 + ["pong"] + ["error"] * 10
        assert await client.closed() == 1008


async def test_binary_frame_is_refused(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        await client.raw.send(b'{"t":"ping"}')

        assert (await client.take("error"))["code"] == "bad_request"
        assert await client.closed() == 1003


@pytest.mark.parametrize("chunks", [1, 100])
async def test_message_above_64_kib_is_refused(gateway: Gateway, chunks: int) -> None:
    """`R-39`: in one frame or in many."""
    async with gateway.connected() as client:
        await client.raw.send(["x" * (1_048_576 // chunks)] * chunks)

        assert await client.closed() == 1009


# ── completion ────────────────────────────────────────────────────────────────
async def test_completion_offers_live_ids(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        await client.exec("x1", 'task create "One"')
        line = "task show T"
        await client.send(t="complete", id="c1", line=line, pos=len(line))
        answer = await client.take("completion")

    assert answer["id"] == "c1"
    assert {"text": "T-1", "start": 10, "kind": "id", "summary": ""} in answer["items"]


# ── events ────────────────────────────────────────────────────────────────────
async def test_subscription_sends_wanted_events_in_order(gateway: Gateway) -> None:
    async with gateway.connected() as client, gateway.connected() as other:
        await client.send(t="subscribe", id="s1", filter={"types": ["task_created"]})
        await client.take("subscribed")
        await other.exec("x1", 'task create "One"')
        await other.exec("x2", "task claim T-1")
        await other.exec("x3", 'task create "Two"')
        seen = await read(client, 2)

    assert [(each["t"], each["id"], each["target"]) for each in seen] == [
        ("event", "s1", "T-1"),
        ("event", "s1", "T-2"),
    ]
    assert seen[0]["seq"] < seen[1]["seq"]


async def test_subscription_goes_on_after_a_number(gateway: Gateway) -> None:
    """`R-33`: a client that comes back names the last event it has seen."""
    async with gateway.connected() as client:
        for number in range(5):
            await client.exec(f"x{number}", f'task create "N {number}"')
    async with gateway.connected() as client:
        await client.send(t="subscribe", id="s1", after=2)
        after = await client.take("subscribed")
        seen = await read(client, 3)

    assert after["seq"] == 2
    assert [each["seq"] for each in seen] == [3, 4, 5]


async def test_unsubscribed_client_hears_no_more(gateway: Gateway) -> None:
    async with gateway.connected() as client:
        await client.send(t="subscribe", id="s1")
        await client.take("subscribed")
        await client.send(t="unsubscribe", id="s1")
        await client.exec("x1", 'task create "One"')
        await client.send(t="subscribe", id="s2", after=0)
        await client.take("subscribed")

        assert (await client.take("event"))["id"] == "s2"


async def test_events_no_longer_kept_are_a_gap(gateway: Gateway) -> None:
    """`R-36`: said, never silent."""
    async with gateway.connected() as client:
        for number in range(4):
            await client.exec(f"x{number}", f'task create "N {number}"')
        gateway.graph.db.run(_forget_events, by=system())
        await client.send(t="subscribe", id="s1", after=1)
        await client.take("subscribed")

        assert await client.take("gap") == {"t": "gap", "id": "s1", "seq": 4}


async def test_subscriptions_are_counted(serve: Serve) -> None:
    gateway = await serve(subscriptions=2)
    async with gateway.connected() as client:
        for number in range(3):
            await client.send(t="subscribe", id=f"s{number}")
        frames = await read(client, 3)

    assert [each["t"] for each in frames] == ["subscribed", "subscribed", "error"]


def _forget_events(tx: Tx) -> None:
    old = events.delete().where(events.c.tenant_id == tx.tenant, events.c.seq < 4)
    tx.execute(old)
