"""Following the deliveries to a webhook."""

import json

import pytest

from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply, an_error

BEGUN = a_reply("No deliveries so far to W-1 (alerts)", data={"id": "W-1", "since": 7})


def a_delivery(seq: int) -> bytes:
    body = {
        "seq": seq, "ts": "2026-11-04T09:00:01Z", "event": "webhook_received",
        "actor": "ann", "target": "W-1", "details": {
            "delivery": f"rq_{seq}", "outcome": "done", "took_ms": 12,
            "command": "task create disk", "summary": "Created T-1 in queued",
        },
    }  # fmt: skip
    return f"id: {seq}\ndata: {json.dumps(body)}\n\n".encode()


def test_delivery_is_one_line_after_the_last_ones(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(BEGUN)
    stub.answer(a_delivery(8))

    assert ops.run("webhook", "listen", "alerts", "--limit", "1") == 0

    first, line = ops.out.splitlines()
    assert first == BEGUN["summary"]
    assert line == (
        "2026-11-04 09:00:01  rq_8  done  12 ms  task create disk"
        "  Created T-1 in queued"
    )


def test_it_goes_on_from_the_place_of_the_first_answer(
    ops: Console, stub: StubGateway
) -> None:
    """What comes in between the answer and the stream is told of."""
    stub.answer(BEGUN)
    stub.answer(a_delivery(8) + a_delivery(9))

    ops.run("webhook", "listen", "my hook", "--last", "3", "--limit", "2")

    asked, followed = stub.requests
    assert asked.line == 'webhook listen "my hook" --limit 3'
    assert followed.path == (
        "/collab/events/tail?type=webhook_received&target=W-1&since=7"
    )


def test_lost_connection_goes_on_after_the_last_delivery(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(BEGUN)
    stub.answer(a_delivery(8))
    stub.answer(None)
    stub.answer(a_delivery(9))

    ops.run("webhook", "listen", "W-1", "--limit", "2", "-o", "jsonl")

    told = [json.loads(line) for line in ops.out.splitlines()]
    assert [each["seq"] for each in told] == [8, 9]
    assert stub.requests[-1].headers["last-event-id"] == "8"


def test_event_in_an_unknown_form_is_printed_as_it_is(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(BEGUN)
    stub.answer(b'data: {"event": "later"}\n\n')

    ops.run("webhook", "listen", "W-1", "--limit", "1")

    assert ops.out.splitlines()[-1] == '{"event": "later"}'


def test_webhook_that_does_not_exist_ends_it(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_error(404, "not_found"), 404)

    assert ops.run("webhook", "listen", "W-9") == 3
    assert len(stub.requests) == 1


def test_other_commands_of_the_noun_go_to_the_gateway(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_reply())

    ops.run("webhook", "deliveries", "W-1")

    assert stub.requests[0].line == "webhook deliveries W-1"


@pytest.mark.parametrize("words", [["--help"], ["-h"]])
def test_overview_names_it(ops: Console, words: list[str]) -> None:
    ops.run(*words)

    assert "webhook listen" in ops.out
