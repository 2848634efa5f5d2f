"""Following what a run prints, over lost connections."""

import json

from tests.unit.gateway.cli.conftest import Console, StubGateway


def a_chunk(offset: int, text: str, step: str = "build") -> bytes:
    body = {"begin": 0, "step": step, "stream": "stdout", "text": text}
    return f"id: {offset}\nevent: log\ndata: {json.dumps(body)}\n\n".encode()


def the_end(status: str) -> bytes:
    body = json.dumps({"status": status, "total_lines": 2})
    return f"id: 9\nevent: end\ndata: {body}\n\n".encode()


def test_chunks_are_printed_as_they_came_until_the_end(
    ops: Console, stub: StubGateway
) -> None:
    """M-RUN-19: and the exit code says how the run ended."""
    stub.answer(a_chunk(4, "one\ntw") + a_chunk(9, "o\n") + the_end("succeeded"))

    assert ops.run("run", "logs", "R-7", "--step", "build", "--follow") == 0

    assert ops.out == "one\ntwo\n"
    assert stub.requests[0].path == ("/v1/runs/R-7/logs?follow=true&step=build&tail=50")


def test_a_lost_connection_goes_on_after_the_last_chunk(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_chunk(4, "one\n") + b"id: 8\nevent: log\ndata: {cut")
    stub.answer(None)
    stub.answer(a_chunk(8, "two\n") + the_end("failed"))

    assert ops.run("run", "logs", "R-7", "--follow") == 1

    assert ops.out == "one\ntwo\n"
    ids = [each.headers.get("last-event-id") for each in stub.requests]
    assert ids == [None, "4", "4"]


def test_steps_do_not_share_a_line(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_chunk(3, "one") + a_chunk(6, "two\n", "test") + the_end("succeeded"))

    ops.run("run", "logs", "R-7", "--follow")

    assert ops.out == "one\ntwo\n"


def test_without_following_it_is_a_command_like_others(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(b'{"title":"No","code":"no","detail":"x","status":404}', 404)

    ops.run("run", "logs", "R-7")

    assert stub.requests[0].path == "/v1/commands"
