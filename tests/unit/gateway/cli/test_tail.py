"""Following events over lost connections."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cli.sse import Message, parse_messages
from tests.unit.gateway.cli.conftest import Console, StubGateway, an_error


def an_event(seq: int) -> bytes:
    body = {
        "seq": seq, "ts": "2026-11-04T09:00:01Z", "event": "task_created",
        "actor": "ann", "target": f"T-{seq}", "details": {},
    }  # fmt: skip
    return f"id: {seq}\ndata: {json.dumps(body)}\n\n".encode()


def test_event_is_one_line(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_event(1) + an_event(2))

    assert ops.run("tail", "--task", "T-1", "--limit", "2") == 0

    assert ops.out.splitlines()[0] == "2026-11-04 09:00:01  task_created  T-1  ann"
    assert stub.requests[0].path == "/collab/events/tail?task=T-1"
    assert stub.requests[0].headers["accept"] == "text/event-stream"


def test_lost_connection_goes_on_after_the_last_event(
    ops: Console, stub: StubGateway
) -> None:
    """`M-EVT-09`: back-off with jitter, resumed by the last id that was seen."""
    stub.answer(b": hello\n\n" + an_event(1) + b"id: 2\ndata: {cut off")
    stub.answer(None)
    stub.answer(b"busy", 503)
    stub.answer(an_event(2))

    assert ops.run("tail", "--limit", "2", "-o", "jsonl") == 0

    assert [json.loads(line)["seq"] for line in ops.out.splitlines()] == [1, 2]
    ids = [each.headers.get("last-event-id") for each in stub.requests]
    assert ids == [None, "1", "1", "1"]
    assert len(ops.pauses) == 3
    assert all(0 <= pause <= 2 for pause in ops.pauses)


def test_gateway_sets_the_least_pause(ops: Console, stub: StubGateway) -> None:
    stub.answer(b"retry: 3000\n" + an_event(1))
    stub.answer(an_event(2))

    ops.run("tail", "--limit", "2")

    assert 3 <= ops.pauses[0] <= 4


def test_reset_is_told_and_not_printed(ops: Console, stub: StubGateway) -> None:
    stub.answer(b"event: reset\nid: 90\ndata: {}\n\n" + an_event(91))

    ops.run("tail", "--limit", "1")

    assert "missing" in ops.err
    assert "T-91" in ops.out


@pytest.mark.parametrize(("status", "code"), [(403, 4), (400, 2), (404, 3)])
def test_refusal_ends_it(
    status: int, code: int, ops: Console, stub: StubGateway
) -> None:
    document = {"title": "No", "code": "no", "detail": "not you", "status": status}
    stub.answer(document, status)

    assert ops.run("tail") == code
    assert len(stub.requests) == 1
    assert "not you" in ops.err


def test_refusal_as_a_reply_ends_it_too(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_error(401, "unauthenticated"), 401)

    assert ops.run("tail") == 4


@settings(deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\r\n", codec="utf-8")), min_size=1
    ),
    st.integers(0, 10**9),
)
def test_what_was_sent_is_what_is_read(lines: list[str], number: int) -> None:
    text = "".join(f"data: {line}\n" for line in lines) + f"id: {number}\n: life\n\n"

    messages = list(parse_messages(text.encode().splitlines(keepends=True)))

    assert messages == [Message(data="\n".join(lines), id=str(number))]
