"""Commands of a gateway from the terminal: what is sent, shown and returned."""

import json
import socket

import pytest

from tests.unit.gateway.cli.conftest import Console, StubGateway, a_reply, an_error

TABLE = {
    "t": "table", "columns": ["id", "title"], "rows": [["T-1", "Fix"]], "total": 1,
    "next": None,
}  # fmt: skip
LISTED = a_reply(
    "1 task",
    blocks=[TABLE],
    data={"items": [{"id": "T-1", "title": "Fix"}], "next": None},
)


def a_proposal(*, danger: str = "risky", token: str = "7f3k") -> dict[str, object]:
    return a_reply(
        "Confirm: run cancel R-9", status="needs_confirmation",
        data={"token": token, "target": "R-9", "danger": danger, "command": "run cancel R-9"},
    )  # fmt: skip


def test_command_is_sent_as_one_line(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply("Created T-12 in queued"))

    code = ops.run("task", "create", "Fix login", "--dod", "tests,docs")

    (request,) = stub.requests
    assert code == 0
    assert request.path == "/v1/commands"
    assert request.line == 'task create "Fix login" --dod tests,docs'
    assert request.headers["authorization"] == "Bearer ops_live_ann"
    assert request.headers["x-opswire-client"] == "cli"
    assert request.headers["x-opswire-conversation"].startswith("cli-")
    assert request.headers["idempotency-key"]
    assert ops.out == "Created T-12 in queued\n"


def test_each_run_has_its_own_key(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply())

    ops.run("whoami")
    ops.run("whoami")

    first, second = (each.headers["idempotency-key"] for each in stub.requests)
    assert first != second


@pytest.mark.parametrize(("status", "code"), [
    (400, 2), (422, 2), (428, 2), (404, 3), (401, 4), (403, 4), (409, 5), (412, 5),
    (429, 7), (500, 1), (413, 2),
])  # fmt: skip
def test_refusal_has_its_exit_code(
    status: int, code: int, ops: Console, stub: StubGateway
) -> None:
    stub.answer(an_error(status), status)

    assert ops.run("task", "show", "T-9") == code
    assert ops.out == ""
    assert ops.err.startswith("No: it is not\n")


def test_check_that_found_a_fault_exits_1(ops: Console, stub: StubGateway) -> None:
    """`ops audit verify` in a script stops it when the chain is broken."""
    stub.answer(a_reply("The chain is broken at 7", data={"ok": False}))

    assert ops.run("audit", "verify") == 1


@pytest.mark.parametrize(
    "line",
    [
        ("template", "validate", "--text", "name: x"),
        ("template", "run", "deploy", "bogus=1", "--dry-run"),
    ],
)
def test_trial_that_found_a_fault_exits_1(
    line: tuple[str, ...], ops: Console, stub: StubGateway
) -> None:
    """A template that cannot run stops a script, though saying so is an answer."""
    stub.answer(a_reply("x has 1 problem", data={"is_valid": False}))

    assert ops.run(*line) == 1


def test_running_command_exits_8(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply("R-7 is running", status="running"), 202)

    assert ops.run("run", "start", "deploy") == 8


def test_busy_gateway_is_tried_three_times_with_one_key(
    ops: Console, stub: StubGateway
) -> None:
    """`R-03`: a repeated request is the same request."""
    stub.answer(an_error(503), 503, retry_after="2")
    stub.answer(None)
    stub.answer(a_reply("Created T-12"))

    assert ops.run("task", "create", "x") == 0

    keys = {each.headers["idempotency-key"] for each in stub.requests}
    assert len(stub.requests) == 3
    assert len(keys) == 1
    assert 2 <= ops.pauses[0] <= 5


def test_gateway_that_stays_busy_is_reported(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_error(503), 503)

    assert ops.run("whoami") == 1
    assert len(stub.requests) == 3


def test_absent_gateway_is_reported_with_what_to_do(ops: Console) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        ops.environ["OPSWIRE_URL"] = f"http://127.0.0.1:{free.getsockname()[1]}"

        assert ops.run("whoami") == 1

    assert "no gateway answers" in ops.err
    assert "try: ops serve" in ops.err


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"a": 1}', b'"summary"', b"\xff"])
def test_something_that_is_no_gateway_is_reported(
    body: bytes, ops: Console, stub: StubGateway
) -> None:
    stub.answer(body, 200)

    assert ops.run("whoami") == 1
    assert "no reply" in ops.err


def test_problem_document_is_understood(ops: Console, stub: StubGateway) -> None:
    document = {
        "type": "t",
        "title": "No page",
        "status": 404,
        "detail": "x",
        "code": "http_404",
    }
    stub.answer(document, 404)

    assert ops.run("whoami") == 3
    assert ops.err.startswith("No page: x\n")


@pytest.mark.parametrize("url", ["ftp://x", "nothing", "http://"])
def test_address_that_is_none_is_a_usage_error(url: str, ops: Console) -> None:
    ops.environ["OPSWIRE_URL"] = url

    assert ops.run("whoami") == 2


def test_base_path_is_kept(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_reply())
    ops.environ["OPSWIRE_URL"] = f"{stub.url}/opswire/"

    ops.run("whoami")

    assert stub.requests[0].path == "/opswire/v1/commands"


def test_data_is_formatted_here(ops: Console, stub: StubGateway) -> None:
    stub.answer(LISTED)

    assert ops.run("task", "list", "-o", "json", "--fields", "id") == 0
    assert json.loads(ops.out) == {"items": [{"id": "T-1"}], "next": None}
    assert stub.requests[0].line == "task list"

    ops.run("task", "list", "--query", "items[0].title")
    assert ops.out == '"Fix"\n'


@pytest.mark.parametrize("options", [("-o", "xml"), ("--query", "items[?")])
def test_format_that_is_none_is_refused_before_anything_is_sent(
    options: tuple[str, str], ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_reply())

    assert ops.run("task", "create", "x", *options) == 2
    assert stub.requests == []


def test_error_is_json_among_messages_when_json_is_asked_for(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(an_error(404, "not_found"), 404)

    assert ops.run("task", "show", "T-9", "-o", "json") == 3
    assert json.loads(ops.err)["code"] == "not_found"
    assert ops.out == ""


def test_person_gets_colours_and_a_pipe_does_not(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(LISTED)

    ops.run("task", "list")
    assert ops.out.splitlines() == ["1 task", "#  id   title", "1  T-1  Fix"]

    ops.run("task", "list", typed="")
    assert "\x1b[1m" in ops.out

    ops.environ["NO_COLOR"] = "1"
    ops.run("task", "list", typed="")
    assert "\x1b" not in ops.out


def test_hostile_title_does_not_reach_the_screen(
    ops: Console, stub: StubGateway
) -> None:
    """`R-68`: neither rendered nor as data."""
    stub.answer(
        a_reply("Fix \x1b]0;owned\x07login", data={"title": "\u202eevil\u009b31m"})
    )

    ops.run("task", "show", "T-1", typed="")
    assert "owned" not in ops.out

    ops.run("task", "show", "T-1", "-o", "csv", typed="")
    assert ops.out == "title\nevil\n"


def test_person_confirms_a_risky_command(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_proposal(), 409)
    stub.answer(a_reply("Cancelling R-9"))

    code = ops.run("run", "cancel", "R-9", "--reason", "wrong version", typed="y\n")

    assert code == 0
    assert (
        stub.requests[1].line
        == 'run cancel R-9 --reason "wrong version" --confirm 7f3k'
    )
    first, second = (each.headers["idempotency-key"] for each in stub.requests)
    assert first != second
    assert "[y/N]" in ops.err


@pytest.mark.parametrize("typed", ["n\n", "\n", ""])
def test_risky_command_does_not_run_without_a_yes(
    typed: str, ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_proposal(), 409)
    stub.answer(a_reply("Dropped: run cancel R-9"))

    assert ops.run("run", "cancel", "R-9", typed=typed) == 6
    assert stub.requests[1].line == "cancel 7f3k"
    assert ops.err.endswith("Dropped: run cancel R-9\n")


def test_what_waits_for_others_is_not_to_be_confirmed(
    ops: Console, stub: StubGateway
) -> None:
    waits = a_reply(
        "AP-3 waits for 2 other people (operator)", status="needs_confirmation",
        data={"id": "AP-3", "approval": "AP-3", "target": "R-9"},
    )  # fmt: skip
    stub.answer(waits, 409)

    assert ops.run("run", "cancel", "R-9", typed="") == 6
    assert len(stub.requests) == 1
    assert "confirm with" not in ops.err


def test_what_is_confirmed_is_what_was_proposed(
    ops: Console, stub: StubGateway
) -> None:
    line = "webhook replay W-3 --since 2026-11-04T07:00:00Z --confirm 7f3k"
    proposal = {"token": "7f3k", "target": "W-3", "confirm": line}
    stub.answer(a_reply(status="needs_confirmation", data=proposal), 409)
    stub.answer(a_reply())

    assert ops.run("webhook", "replay", "W-3", "--since", "2h", "--yes") == 0
    assert stub.requests[1].line == line


def test_script_says_yes_with_a_flag(ops: Console, stub: StubGateway) -> None:
    stub.answer(a_proposal(), 409)
    stub.answer(a_reply())

    assert ops.run("run", "cancel", "R-9", "--yes") == 0
    assert stub.requests[1].line == "run cancel R-9 --confirm 7f3k"


def test_script_without_consent_is_told_the_line(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_proposal(), 409)

    assert ops.run("run", "cancel", "R-9") == 6
    assert "confirm with: ops confirm 7f3k" in ops.err


def test_destructive_command_wants_the_id_typed(
    ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_proposal(danger="destructive", token=""), 409)
    stub.answer(a_reply("Deleted R-9"))

    assert ops.run("run", "delete", "R-9", typed="R-9\n") == 0
    assert stub.requests[1].line == "run delete R-9 --confirm R-9"


@pytest.mark.parametrize("typed", ["y\n", "R-8\n"])
def test_destructive_command_does_not_take_a_yes(
    typed: str, ops: Console, stub: StubGateway
) -> None:
    stub.answer(a_proposal(danger="destructive", token=""), 409)

    assert ops.run("run", "delete", "R-9", "--yes", typed=typed) == 6
    assert len(stub.requests) == 1


def test_overview_and_hint_name_the_local_verbs(
    ops: Console, stub: StubGateway
) -> None:
    assert ops.run("--help") == 0
    assert "ops serve" in ops.out or "  serve" in ops.out

    stub.answer(b"nothing")
    assert ops.run("serv") == 1
    assert "try: ops serve" in ops.err


def test_lines_from_a_pipe_are_one_batch(ops: Console, stub: StubGateway) -> None:
    results = [
        {"line": "whoami", "outcome": "ok", "reply": a_reply("ann")},
        {"line": "task show T-9", "outcome": "failed", "reply": an_error(404)},
        {"line": "whoami", "outcome": "not_run"},
    ]
    stub.answer({"summary": "1 of 3 lines done", "results": results})

    code = ops.run(piped="whoami\ntask show T-9\nwhoami\n")

    assert code == 3
    assert stub.requests[0].path == "/v1/commands/batch"
    assert stub.requests[0].body["lines"] == "whoami\ntask show T-9\nwhoami\n"
    assert stub.requests[0].body["keep_going"] is False
    assert ops.out == "ann\n"
    assert "done: whoami" in ops.err
    assert "failed: task show T-9" in ops.err
    assert "not run: whoami" in ops.err


def test_batch_keeps_going_when_told_and_gives_json(
    ops: Console, stub: StubGateway
) -> None:
    results = [{"line": "whoami", "outcome": "ok", "reply": a_reply("ann")}]
    stub.answer({"summary": "1 of 1 lines done", "results": results})

    assert ops.run("-", "--keep-going", "-o", "json", piped="whoami") == 0
    assert stub.requests[0].body["keep_going"] is True
    assert json.loads(ops.out)["items"][0]["outcome"] == "ok"


def test_refused_batch_is_shown(ops: Console, stub: StubGateway) -> None:
    stub.answer(an_error(400), 400)

    assert ops.run("-", piped="whoami\n" * 11) == 2


def test_empty_pipe_is_a_usage_error(ops: Console) -> None:
    assert ops.run(piped=" \n") == 2


def test_interrupt_exits_130(ops: Console, stub: StubGateway) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    stub.answer(an_error(503), 503)
    ops.pause = interrupt

    assert ops.run("whoami") == 130


def test_a_person_reads_what_it_would_do_before_agreeing(
    ops: Console, stub: StubGateway
) -> None:
    """Row 19: the resolved parameters stand above the question, and no button does."""
    facts = {"t": "fields", "pairs": [["env", "prod"], ["version", "1.9.2"]]}
    proposal = {**a_proposal(), "blocks": [facts, {"t": "actions", "items": []}]}
    stub.answer(proposal, 409)
    stub.answer(a_reply("R-7 waiting", status="running"), 202)

    assert ops.run("run", "start", "deploy", typed="y\n") == 8

    assert ops.err.index("1.9.2") < ops.err.index("[y/N]")
