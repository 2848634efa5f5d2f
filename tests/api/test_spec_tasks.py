"""The Task API over runs (M-TSK-01 to 08)."""

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Gateway, Person

BASES = ("/api/v1/tasks", "/api/tasks")


@pytest.fixture
def worker(gateway: Gateway) -> Person:
    """Somebody whose programs claim runs."""
    return gateway.person("builder", Role.ADMIN)


async def test_create_list_and_show(ann: Person) -> None:
    """M-TSK-01, 02, 06: both bases answer the same."""
    made = await ann.post("/api/v1/tasks", {"spec_id": "SPEC-1", "input": {"a": 1}})
    other = await ann.post("/api/tasks", {"spec_id": "SPEC-2"})

    assert (made.status, other.status) == (201, 201)
    assert (made.body["id"], made.body["status"]) == ("R-1", "PENDING")
    for base in BASES:
        listed = (await ann.get(base)).body["items"]
        assert [each["spec_id"] for each in listed] == ["SPEC-2", "SPEC-1"]
        shown = (await ann.get(f"{base}/R-1")).body
        assert (shown["input"], shown["outcome"]) == ({"a": 1}, None)


async def test_a_worker_executes_it_and_its_outcome_is_told(
    ann: Person, worker: Person
) -> None:
    """M-TSK-02, 04: PENDING, RUNNING, COMPLETED; exit code and both streams."""
    await ann.post("/api/v1/tasks", {"spec_id": "SPEC-1"})
    (run,) = (await worker.post("/runs.claim", {"worker": "w"})).body["runs"]
    about = {"run_id": run["id"], "fence": run["fence"]}
    running = (await ann.get("/api/v1/tasks/R-1")).body
    log = {"type": "log", "step": "main"}
    step = {"type": "step", "step": "main", "status": "succeeded", "exit_code": 0}
    events = [
        {**log, "text": "hello\n"},
        {**log, "stream": "stderr", "text": "beware\n"},
        {**log, "text": "bye\n"},
        step,
    ]
    await worker.post("/events.append", {**about, "events": events})
    await worker.post("/runs.complete", {**about, "status": "succeeded"})

    done = (await ann.get("/api/v1/tasks/R-1")).body

    assert running["status"] == "RUNNING"
    assert done["status"] == "COMPLETED"
    assert done["outcome"] == {
        "exit_code": 0,
        "stdout": "hello\nbye\n",
        "stderr": "beware\n",
    }


async def test_a_failure_says_why(ann: Person, worker: Person) -> None:
    """M-TSK-04: FAILED, with the exit code of the step that failed."""
    await ann.post("/api/v1/tasks", {"spec_id": "SPEC-1"})
    (run,) = (await worker.post("/runs.claim", {"worker": "w"})).body["runs"]
    about = {"run_id": run["id"], "fence": run["fence"]}
    step = {"type": "step", "step": "main", "status": "failed", "exit_code": 3}
    await worker.post("/events.append", {**about, "events": [step]})
    error = {"code": "exit_code", "detail": "main returned 3", "step": "main"}
    ended = {"status": "failed", "error": error, "final": True}
    await worker.post("/runs.complete", {**about, **ended})

    failed = (await ann.get("/api/v1/tasks?status=FAILED")).body["items"]
    shown = (await ann.get("/api/v1/tasks/R-1")).body

    assert [each["id"] for each in failed] == ["R-1"]
    assert (shown["status"], shown["error"]) == ("FAILED", "main returned 3")
    assert shown["outcome"]["exit_code"] == 3


async def test_cancel_by_each_method(gateway: Gateway, ann: Person) -> None:
    """M-TSK-03, 06: DELETE, PATCH and POST, at both bases; the audit names each."""
    number = 0
    for base in BASES:
        for method, tail, body in (
            ("DELETE", "", None),
            ("PATCH", "", {"action": "cancel"}),
            ("POST", "/cancel", {}),
        ):
            number += 1
            await ann.post(base, {"spec_id": "SPEC-1"})
            answer = await ann.call(method, f"{base}/R-{number}{tail}", body)
            assert (answer.status, answer.body["status"]) == (200, "CANCELED"), answer

    audited = [each for each in gateway.audits() if each.action == "spec-task cancel"]
    assert [each.target for each in audited] == [f"R-{n + 1}" for n in range(number)]
    events = (await ann.get("/v1/events/list?type=run_cancelled")).body["items"]
    assert len(events) == number


async def test_patch_takes_one_action_alone(ann: Person) -> None:
    """M-TSK-06: anything else is refused by name."""
    await ann.post("/api/tasks", {"spec_id": "SPEC-1"})

    answer = await ann.patch("/api/tasks/R-1", {"action": "finish"})

    assert (answer.status, answer.is_problem) == (422, True)
    assert "finish" in answer.error["detail"]


async def test_it_survives_a_restart(gateway: Gateway, ann: Person) -> None:
    """M-TSK-05: what was created is there, and can be cancelled."""
    await ann.post("/api/v1/tasks", {"spec_id": "SPEC-1"})

    await gateway.restart()

    assert (await ann.get("/api/v1/tasks/R-1")).body["status"] == "PENDING"
    assert (await ann.call("DELETE", "/api/v1/tasks/R-1")).body["status"] == "CANCELED"


async def test_the_audit_has_the_line_that_makes_it_again(
    gateway: Gateway, ann: Person
) -> None:
    """M-TSK-08: replayed, it has the same inputs."""
    body = {"spec_id": "SPEC 1", "input": {"text": 'a "b", c=d', "n": [1, None]}}
    await ann.post("/api/v1/tasks", body)
    (entry,) = [each for each in gateway.audits() if each.action == "spec-task create"]

    asked = await ann.say(entry.command)
    again = await ann.say(f"confirm {asked.data['token']}")

    first = (await ann.get("/api/v1/tasks/R-1")).body
    assert again.data["id"] == "R-2"
    assert {name: again.data[name] for name in body} == {
        name: first[name] for name in body
    }
