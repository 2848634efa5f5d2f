"""`--wait`: `ops` tells what happens to a run until it is over (row 19)."""

from typing import Any

import pytest

from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply

RUN = {"id": "R-7", "status": "queued", "created_at": "2026-11-04T09:00:00.000000Z"}
BEGUN = a_reply("R-7 (deploy) waiting", status="running", data=RUN)


def batch(*events: tuple[str, dict[str, Any]], to: int) -> dict[str, Any]:
    """What the gateway answers to a poll."""
    return {
        "items": [
            {"event": kind, "target": "R-7", "details": details}
            for kind, details in events
        ],
        "next": str(to),
    }


def ended(status: str) -> dict[str, Any]:
    return a_reply(f"R-7 {status} in 3s", data={**RUN, "status": status})


def play(stub: StubGateway, end: str, status: str) -> None:
    """Line up a run of two steps."""
    stub.answer(BEGUN, 202)
    stub.answer(
        batch(
            ("run_queued", {}),
            ("run_claimed", {"worker": "w1"}),
            ("executor_started", {"step": "build"}),
            to=5,
        )
    )
    stub.answer(
        batch(
            ("executor_succeeded", {"step": "build"}),
            ("run_progress", {"done": 1, "total": 2, "note": "half"}),
            (end, {}),
            to=9,
        )
    )
    stub.answer(ended(status))


def test_a_script_is_told_a_line_for_each_step(ops: Console, stub: StubGateway) -> None:
    play(stub, "run_succeeded", "succeeded")

    code = ops.run("run", "start", "deploy", "env=prod", "--wait", "90s")

    sent, first, second, last = stub.requests
    assert code == 0
    assert sent.line == "run start deploy env=prod"
    assert first.path.startswith("/v1/events?target=R-7&since=2026-11-04T09%3A00")
    assert "since=5" in second.path
    assert last.line == "run show R-7"
    assert ops.err.splitlines() == [
        "R-7 claimed by w1",
        "R-7 build: started",
        "R-7 build: succeeded",
        "R-7 1/2 half",
        "R-7 succeeded",
    ]
    assert ops.out == "R-7 succeeded in 3s\n"


def test_a_person_sees_one_line_that_changes(ops: Console, stub: StubGateway) -> None:
    play(stub, "run_succeeded", "succeeded")

    ops.run("run", "start", "deploy", "--wait", typed="")

    assert "\r\x1b[2KR-7 build: started\r\x1b[2K" in ops.err
    assert ops.err.endswith("\r\x1b[2K")
    assert "\n" not in ops.err


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("run_failed", "failed"),
        ("run_cancelled", "cancelled"),
        ("run_failed", "timed_out"),
    ],
)
def test_a_run_that_did_not_succeed_exits_1(
    ops: Console, stub: StubGateway, end: str, status: str
) -> None:
    play(stub, end, status)

    assert ops.run("run", "start", "deploy", "--wait=5m") == 1


def test_when_the_time_is_up_it_exits_8(ops: Console, stub: StubGateway) -> None:
    """It goes on; what is shown is how it stands."""
    stub.answer(BEGUN, 202)
    stub.answer(a_reply("R-7 running on w1", data={**RUN, "status": "running"}))

    assert ops.run("run", "start", "deploy", "--wait", "1ms") == 8
    assert ops.out == "R-7 running on w1\n"


def test_without_it_nothing_is_waited_for(ops: Console, stub: StubGateway) -> None:
    stub.answer(BEGUN, 202)

    assert ops.run("run", "start", "deploy") == 8
    assert len(stub.requests) == 1


def test_what_is_no_duration_is_refused_here(ops: Console, stub: StubGateway) -> None:
    assert ops.run("run", "start", "deploy", "--wait=soon") == 2
    assert stub.requests == []
