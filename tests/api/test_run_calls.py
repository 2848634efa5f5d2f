"""What workers call: claim, heartbeat, report, complete (M-RUN-04, 05, 07, 09)."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from core.kernel.principal import Role
from tests.api.gateway import Answer, Gateway, Person
from tests.conftest import FakeClock

RUN_FIELDS = {
    "id", "fence", "attempt", "lane", "kind", "name", "task", "input", "steps",
    "lease_expires_at", "deadline_at",
}  # fmt: skip


class Worker:
    """A worker with a key that does nothing else, and the run that it holds."""

    def __init__(self, by: Person, run: dict[str, Any]) -> None:
        self.by = by
        self.run = run

    @property
    def about(self) -> dict[str, Any]:
        return {"run_id": self.run["id"], "fence": self.run["fence"]}

    async def tell(self, *events: Any) -> Answer:
        return await self.by.post("/events.append", {**self.about, "events": [*events]})

    async def beat(self, **more: Any) -> Answer:
        return await self.by.post("/runs.heartbeat", {**self.about, **more})

    async def complete(self, status: str = "succeeded", **more: Any) -> Answer:
        body = {**self.about, "status": status, **more}
        return await self.by.post("/runs.complete", body)

    async def shown(self) -> dict[str, Any]:
        answer = await self.by.get(f"/v1/runs/{self.run['id']}")
        run: dict[str, Any] = answer.body
        return run


@pytest.fixture
def key(gateway: Gateway) -> Person:
    """A key of a worker: it works on runs and looks at them."""
    return gateway.person(
        "builder", Role.ADMIN, scopes=("runs:work", "runs:read", "events:read")
    )


@pytest.fixture
async def worker(gateway: Gateway, key: Person) -> Worker:
    """A worker that holds R-1."""
    made = await gateway.admin.post(
        "/runs.create", {"kind": "manual", "input": {"what": "call"}}
    )
    assert made.status == 201
    claimed = await key.post("/runs.claim", {"worker": "w1", "lanes": ["C"]})
    return Worker(key, claimed.body["runs"][0])


async def test_claim_gives_all_that_a_worker_needs(worker: Worker) -> None:
    """M-RUN-04: id, fence, what is to be done, and until when it is the worker's."""
    run = worker.run

    assert set(run) == RUN_FIELDS
    assert (run["id"], run["fence"], run["attempt"]) == ("R-1", 1, 1)
    assert (run["kind"], run["input"], run["steps"]) == ("manual", {"what": "call"}, [])
    assert run["lease_expires_at"] == "2026-11-04T09:00:30.000000Z"


async def test_claim_gives_a_run_to_one_worker(
    gateway: Gateway, worker: Worker
) -> None:
    """M-RUN-04: nothing is left for the next one."""
    again = await worker.by.post("/runs.claim", {"worker": "w2"})
    own = await worker.by.post("/runs.claim", {"worker": "w1"})

    assert again.body == own.body == {"runs": []}
    shown = (await worker.by.get("/v1/workers/w1")).body
    assert (shown["state"], shown["holds"]) == ("online", ["R-1"])


async def test_steps_come_as_the_template_says(gateway: Gateway, key: Person) -> None:
    """A template's run names its executors, with the parameters put in."""
    await gateway.admin.post("/runs.create", {"template": "demo-deploy"})

    claimed = await key.post("/runs.claim", {"worker": "w1", "labels": []})

    (run,) = claimed.body["runs"]
    assert (run["name"], run["lane"]) == ("demo-deploy", "B")
    assert [each["name"] for each in run["steps"]][:2] == ["build", "test"]
    assert all(each["uses"] for each in run["steps"])


async def test_without_manual_only_what_has_steps_is_given(
    gateway: Gateway, key: Person
) -> None:
    """A worker that executes steps leaves manual runs to others."""
    await gateway.admin.post("/runs.create", {"kind": "manual"})
    await gateway.admin.post("/runs.create", {"kind": "noop"})

    claimed = await key.post(
        "/runs.claim", {"worker": "w1", "host": "fleet", "manual": False, "limit": 5}
    )

    assert [each["kind"] for each in claimed.body["runs"]] == ["noop"]


_BAD_CLAIMS: Sequence[tuple[dict[str, Any], str]] = [
    ({"worker": ""}, "worker"),
    ({"worker": 1}, "worker"),
    ({"limit": 0}, "0 runs"),
    ({"limit": 65}, "65 runs"),
    ({"limit": True}, "limit"),
    ({"lanes": ["E"]}, "E"),
    ({"labels": ["a b"]}, "a b"),
    ({"wait_seconds": 31}, "31"),
    ({"lease_seconds": 4}, "4"),
    ({"lease_seconds": 3601}, "3601"),
    ({"lease_seconds": "thirty"}, "thirty"),
    ({"host": "moon"}, "moon"),
    ({"colour": "red"}, "colour"),
]


async def test_claim_refuses_by_field(key: Person) -> None:
    """M-RUN-10: 422, naming what is wrong."""
    for more, word in _BAD_CLAIMS:
        answer = await key.post("/runs.claim", {"worker": "w1", **more})

        assert (answer.status, answer.is_problem) == (422, True), answer
        assert word in answer.error["detail"]


async def test_the_first_heartbeat_says_that_work_has_begun(
    worker: Worker, clock: FakeClock
) -> None:
    """M-RUN-05: the lease lives on from it, and progress is shown."""
    clock.advance(timedelta(seconds=20))

    beat = await worker.beat(progress={"done": 1, "total": 4, "note": "half"})

    assert beat.body == {
        "cancel": False,
        "pause": False,
        "lease_expires_at": "2026-11-04T09:00:50.000000Z",
    }
    shown = await worker.shown()
    assert (shown["status"], shown["heartbeat_at"]) == (
        "running",
        "2026-11-04T09:00:20.000000Z",
    )
    assert shown["progress"] == {"done": 1, "total": 4, "note": "half"}


async def test_a_lease_lasts_as_long_as_its_worker_asked(
    gateway: Gateway, key: Person, clock: FakeClock
) -> None:
    """M-RUN-05: and each heartbeat prolongs it by as much; then it is given on."""
    await gateway.admin.post("/runs.create", {"kind": "manual"})
    claimed = await key.post("/runs.claim", {"worker": "w1", "lease_seconds": 300})
    worker = Worker(key, claimed.body["runs"][0])

    clock.advance(timedelta(seconds=299))
    await gateway.sweep()
    beat = await worker.beat()

    assert worker.run["lease_expires_at"] == "2026-11-04T09:05:00.000000Z"
    assert beat.body["lease_expires_at"] == "2026-11-04T09:09:59.000000Z"
    clock.advance(timedelta(seconds=301))
    await gateway.sweep()
    assert (await worker.beat()).error["code"] == "lease_lost"


async def test_heartbeat_carries_what_people_want(
    gateway: Gateway, worker: Worker
) -> None:
    """M-RUN-05: pause, and then cancel."""
    await gateway.admin.post("/v1/runs/R-1/pause")
    paused = (await worker.beat()).body
    await gateway.admin.post("/v1/runs/R-1/resume")
    on = (await worker.beat()).body
    await gateway.admin.post("/runs.cancel", {"run_id": "R-1"})
    cancelled = (await worker.beat()).body

    told = [(each["pause"], each["cancel"]) for each in (paused, on, cancelled)]
    assert told == [(True, False), (False, False), (False, True)]


@pytest.mark.parametrize(
    "call", ["/runs.heartbeat", "/runs.complete", "/events.append", "/runs.hand-back"]
)
async def test_a_wrong_fence_is_lease_lost(worker: Worker, call: str) -> None:
    """R-24: 409 for another number; what is no number at all is 422."""
    body = _body(call)

    wrong = await worker.by.post(call, {**body, "run_id": "R-1", "fence": 7})
    text = await worker.by.post(call, {**body, "run_id": "R-1", "fence": "1"})
    none = await worker.by.post(call, {**body, "run_id": "R-1"})
    truth = await worker.by.post(call, {**body, "run_id": "R-1", "fence": True})

    assert (wrong.status, wrong.error["code"]) == (409, "lease_lost")
    assert {text.status, none.status, truth.status} == {422}
    assert (await worker.shown())["status"] == "claimed"


async def test_only_whoever_registered_a_worker_speaks_for_it(
    gateway: Gateway, worker: Worker
) -> None:
    """R-59: the fence alone is no credential."""
    other = gateway.person("mallory", Role.ADMIN)

    stolen = await other.post("/runs.heartbeat", worker.about)
    named = await other.post("/runs.claim", {"worker": "w1"})

    assert (stolen.status, named.status) == (403, 403)


async def test_reports_become_steps_logs_progress_and_events(worker: Worker) -> None:
    """M-RUN-07: each kind lands where it belongs, in order."""
    answer = await worker.tell(
        {"type": "step", "step": "build", "status": "running", "uses": "shell"},
        {"type": "log", "step": "build", "stream": "stdout", "text": "hello\n"},
        {"type": "progress", "done": 1, "total": 2},
        {"type": "deployed", "details": {"host": "web-1"}},
        {"type": "step", "step": "build", "status": "succeeded", "exit_code": 0},
    )

    assert answer.body == {"ok": True, "count": 5}
    shown = await worker.shown()
    assert shown["status"] == "running"
    assert shown["progress"]["total"] == 2
    assert [(s["name"], s["status"]) for s in shown["steps"]] == [
        ("build", "succeeded")
    ]
    events = (await worker.by.get("/v1/runs/R-1/events")).body["items"]
    names = [each["event"] for each in events]
    assert "deployed" in names
    assert names.index("executor_started") < names.index("executor_succeeded")
    assert "log" not in names


_BAD_REPORTS: Sequence[tuple[dict[str, Any], str]] = [
    ({"type": "step", "step": "build", "status": "done"}, "status"),
    ({"type": "step", "status": "running"}, "step"),
    ({"type": "step", "step": "b", "status": "failed", "exit_code": "1"}, "exit_code"),
    ({"type": "log", "text": 5}, "text"),
    ({"type": "log"}, "text"),
    ({"type": "log", "text": "x", "stream": "stdin"}, "stream"),
    ({"type": "log", "text": "x" * (512 * 1024 + 1)}, "text"),
    ({"type": "progress", "done": -1}, "done"),
    ({"type": "progress", "done": 1, "of": 2}, "of"),
    ({"type": "Deployed"}, "type"),
    ({"type": "deployed", "details": []}, "details"),
    ({}, "type"),
]


async def test_a_report_is_refused_by_its_field(worker: Worker) -> None:
    """M-RUN-10: nothing of a report that has a fault is noted."""
    good = {"type": "step", "step": "build", "status": "running"}

    for event, field in _BAD_REPORTS:
        answer = await worker.tell(good, event)
        assert (answer.status, answer.is_problem) == (422, True), answer
        assert f"events[1].{field}" in answer.error["detail"]

    assert (await worker.shown())["steps"] == []


async def test_a_report_has_a_size(worker: Worker) -> None:
    """M-RUN-10: neither nothing nor everything at once."""
    for count in (0, 501):
        answer = await worker.tell(*[{"type": "log", "text": "x"}] * count)

        assert answer.status == 422
        assert "1 to 500" in answer.error["detail"]


async def test_complete_with_a_result(worker: Worker) -> None:
    """M-RUN-09: accepted from claimed; the same once more is the same."""
    done = await worker.complete(result={"answer": 42})
    again = await worker.complete(result={"answer": 42})
    other = await worker.complete("failed")

    assert (done.status, done.body["status"]) == (200, "succeeded")
    assert done.body["result"] == {"answer": 42}
    assert again.body == done.body
    assert (other.status, other.error["code"]) == (409, "lease_lost")


async def test_a_failure_is_tried_again_with_another_fence(
    gateway: Gateway, worker: Worker, clock: FakeClock
) -> None:
    """M-RUN-09, M-RUN-17: after a pause; what the first attempt says then is refused."""
    failed = await worker.complete("failed", error="the line was busy")
    clock.advance(timedelta(minutes=10))
    await gateway.sweep()

    again = await worker.by.post("/runs.claim", {"worker": "w1"})

    assert failed.body["status"] == "retry_wait"
    assert failed.body["error"]["detail"] == "the line was busy"
    (run,) = again.body["runs"]
    assert (run["attempt"], run["fence"] > 1) == (2, True)
    late = await worker.beat()
    assert (late.status, late.error["code"]) == (409, "lease_lost")


async def test_a_final_failure_is_not_tried_again(worker: Worker) -> None:
    """M-RUN-17: what cannot work is given up at once."""
    error = {"code": "forbidden_path", "detail": "../etc", "step": "build"}

    failed = await worker.complete("failed", error=error, final=True)

    assert failed.body["status"] == "failed"
    assert failed.body["error"] == error


_BAD_ENDS: Sequence[tuple[dict[str, Any], str]] = [
    ({"status": "done"}, "done"),
    ({"status": "succeeded", "error": "no"}, "no error"),
    ({"status": "failed", "error": {"code": "Exit Code"}}, "error.code"),
    ({"status": "failed", "error": {"code": "x", "why": "y"}}, "error.why"),
    ({"status": "failed", "error": 5}, "error"),
    ({"status": "succeeded", "result": []}, "result"),
    ({}, "status"),
]


async def test_complete_refuses_by_field(worker: Worker) -> None:
    """M-RUN-10: the run is the worker's still."""
    for more, word in _BAD_ENDS:
        answer = await worker.by.post("/runs.complete", {**worker.about, **more})
        assert (answer.status, answer.is_problem) == (422, True), answer
        assert word in answer.error["detail"]

    assert (await worker.shown())["status"] == "claimed"


async def test_hand_back_does_not_count(worker: Worker) -> None:
    """A worker that stops gives its run back, and the next attempt is the first."""
    back = await worker.by.post("/runs.hand-back", {**worker.about, "reason": "stops"})
    again = await worker.by.post("/runs.claim", {"worker": "w1"})

    assert (back.body["status"], back.body["attempt"]) == ("queued", 0)
    assert again.body["runs"][0]["attempt"] == 1


async def test_secrets_are_told_to_the_holder_alone_and_kept_nowhere(
    gateway: Gateway, key: Person
) -> None:
    """R-69: with the fence; the stored answer does not have them."""
    await gateway.admin.post("/runs.create", {"kind": "manual"})
    claimed = await key.post("/runs.claim", {"worker": "w1"})
    run = claimed.body["runs"][0]

    good = {"run_id": run["id"], "fence": run["fence"]}
    told = await key.post("/runs.secrets", good, idempotency_key="s1")
    again = await key.post("/runs.secrets", good, idempotency_key="s1")
    wrong = await key.post("/runs.secrets", {**good, "fence": 9})

    assert (told.status, told.body) == (200, {"secrets": {}})
    assert again.body == {"secrets": "(shown once)"}
    assert wrong.error["code"] == "lease_lost"


async def test_drained_workers_are_given_nothing(
    gateway: Gateway, worker: Worker
) -> None:
    """What they hold goes on; resume gives them runs again."""
    await gateway.admin.post("/runs.create", {"kind": "manual"})

    drained = await gateway.admin.post("/v1/workers/w1/drain")
    nothing = await worker.by.post("/runs.claim", {"worker": "w1"})
    beat = await worker.beat()
    await gateway.admin.post("/v1/workers/w1/resume")
    some = await worker.by.post("/runs.claim", {"worker": "w1"})

    assert (drained.body["state"], drained.body["holds"]) == ("draining", ["R-1"])
    assert nothing.body == {"runs": []}
    assert beat.status == 200
    assert [each["id"] for each in some.body["runs"]] == ["R-2"]


async def test_a_lane_gives_out_no_more_than_it_may(
    gateway: Gateway, worker: Worker
) -> None:
    """M-RUN-11: one at a time, then none while it drains."""
    for _ in range(2):
        await gateway.admin.post("/runs.create", {"kind": "manual"})

    changed = await gateway.admin.patch("/v1/lanes/C", {"concurrency": 1})
    full = await worker.by.post("/runs.claim", {"worker": "w1", "limit": 9})
    await gateway.admin.patch("/v1/lanes/C", {"concurrency": 2})
    one = await worker.by.post("/runs.claim", {"worker": "w1", "limit": 9})
    drained = await gateway.admin.post("/v1/lanes/C/drain")

    assert (changed.body["concurrency"], changed.body["held"]) == (1, 1)
    assert full.body == {"runs": []}
    assert len(one.body["runs"]) == 1
    assert drained.body["state"] == "draining"
    lanes = (await gateway.admin.get("/v1/lanes")).body["items"]
    assert [each["id"] for each in lanes] == ["A", "B", "C", "D"]


async def test_routine_leaves_nothing_to_read_through(
    gateway: Gateway, worker: Worker, clock: FakeClock
) -> None:
    """M-RUN-04, R-72: a fleet that idles or works buries nobody's decisions."""
    await worker.beat()
    before = noted(gateway)

    for number in range(50):
        clock.advance(timedelta(seconds=1))
        await worker.by.post("/runs.claim", {"worker": "w1"})
        await worker.by.post(
            "/runs.claim", {"worker": "w1"}, idempotency_key=f"idle-{number}"
        )
        await worker.beat()
        await worker.beat()
        await worker.tell({"type": "log", "text": "x\n"})

    assert noted(gateway) == before


async def test_what_workers_decide_is_audited(gateway: Gateway, worker: Worker) -> None:
    """R-72: what a claim gave, how an attempt ended, and every refusal."""
    other = gateway.person("mallory", Role.ADMIN)
    viewer = gateway.person("vera", Role.VIEWER)

    await viewer.post("/runs.claim", {"worker": "w2"})
    await other.post("/runs.heartbeat", worker.about)
    await worker.by.post("/runs.heartbeat", {**worker.about, "fence": 7})
    await worker.by.post("/runs.secrets", worker.about)
    await worker.complete()

    told = [(each.action, each.actor, each.verdict) for each in gateway.audits()]
    assert told[-6:] == [
        ("run claim", "builder", "allowed"),
        ("run claim", "vera", "denied"),
        ("run heartbeat", "mallory", "denied"),
        ("run heartbeat", "builder", "failed"),
        ("run secrets", "builder", "allowed"),
        ("run complete", "builder", "allowed"),
    ]
    assert gateway.is_intact()


async def test_a_key_keeps_the_answer_of_routine_with_an_effect(
    gateway: Gateway, worker: Worker
) -> None:
    """R-03: a report sent again is not noted again; an empty claim is asked again."""
    claim = {"worker": "w1"}
    report = {**worker.about, "events": [{"type": "deployed"}]}

    empty = await worker.by.post("/runs.claim", claim, idempotency_key="c")
    await gateway.admin.post("/runs.create", {"kind": "manual"})
    given = await worker.by.post("/runs.claim", claim, idempotency_key="c")
    again = await worker.by.post("/runs.claim", claim, idempotency_key="c")
    told = [
        await worker.by.post("/events.append", report, idempotency_key="r")
        for _ in range(2)
    ]

    assert (empty.body, given.body["runs"][0]["id"]) == ({"runs": []}, "R-2")
    assert again.raw == given.raw
    assert "idempotency-replayed" in again.headers
    assert told[0].raw == told[1].raw
    events = (await worker.by.get("/v1/runs/R-1/events")).body["items"]
    assert [each["event"] for each in events].count("deployed") == 1


def noted(gateway: Gateway) -> dict[str, int]:
    """Count audit entries, stored answers and events."""
    gateway.audits()
    with closing(sqlite3.connect(gateway.path)) as connection:
        return {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("audit_events", "inbox", "events")
        }


def _body(call: str) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "/runs.complete": {"status": "succeeded"},
        "/events.append": {"events": [{"type": "log", "text": "x"}]},
    }
    return bodies.get(call, {})


_FORGED = ("run_succeeded", "job_completed", "worker_lost")


@pytest.mark.parametrize("forged", _FORGED)
async def test_nobody_tells_what_the_queue_alone_does(
    worker: Worker, gateway: Gateway, forged: str
) -> None:
    """R-24: neither a worker's note nor an event from outside ends anything."""
    before = await gateway.admin.say("run events R-1")
    by_worker = await worker.tell({"type": forged, "details": {}})
    from_outside = await gateway.admin.post(
        "/collab/events", {"event": forged, "target": "R-1"}
    )
    shown = await gateway.admin.say("run events R-1")

    for refused in (by_worker, from_outside):
        assert (refused.status, refused.is_problem) == (422, True)
        assert forged in refused.error["detail"]
        assert "use the command that makes it happen" in refused.error["fix"]
    assert (await worker.shown())["status"] in ("claimed", "running")
    assert shown.data["items"] == before.data["items"]
    assert forged not in str(shown.data)


async def test_what_is_told_beside_a_forged_event_is_refused_with_it(
    worker: Worker, gateway: Gateway
) -> None:
    """All of a call is stored, or nothing."""
    step = {"type": "step", "step": "build", "status": "running"}

    refused = await worker.tell(step, {"type": "run_succeeded"})
    shown = await gateway.admin.say("run events R-1")

    assert refused.status == 422
    assert "executor_started" not in str(shown.data)
