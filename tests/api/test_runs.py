"""Runs over HTTP: made, listed, looked at, steered (M-RUN-03, 06, 10, 11, 20)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core.kernel.principal import Role
from core.runs import service as runs
from core.runs.model import NewRun
from tests.api.gateway import Gateway, Person
from tests.api.run_sets import admin_of
from tests.conftest import FakeClock


@pytest.fixture
def admin(gateway: Gateway) -> Person:
    """The admin, who may do everything."""
    return gateway.admin


async def made(by: Person, **more: Any) -> str:
    """Make a manual run; return its id."""
    answer = await by.post("/runs.create", {"kind": "manual", **more})
    assert answer.status == 201, answer
    return str(answer.body["id"])


async def claimed(by: Person, **more: Any) -> dict[str, Any]:
    """Claim the next run."""
    answer = await by.post("/runs.claim", {"worker": "w1", **more})
    assert answer.status == 200, answer
    run: dict[str, Any] = answer.body["runs"][0]
    return run


@pytest.mark.parametrize("path", ["/runs.create", "/v1/runs"])
async def test_create_queues_a_run(ann: Person, path: str) -> None:
    """M-RUN-03: both spellings answer 201 with its id and that it is queued."""
    answer = await ann.post(path, {"kind": "manual", "input": {"n": 1}, "lane": "A"})

    assert answer.status == 201
    assert (answer.body["id"], answer.body["status"]) == ("R-1", "queued")
    shown = (await ann.get("/v1/runs/R-1")).body
    assert (shown["lane"], shown["input"], shown["actor"]) == ("A", {"n": 1}, "ann")


async def test_create_of_a_template_takes_its_lane_and_defaults(ann: Person) -> None:
    """M-RUN-11: the template's lane holds unless another one is said."""
    plain = await ann.post("/runs.create", {"template": "demo-deploy", "input": {}})
    other = await ann.post("/runs.create", {"template": "demo-deploy", "lane": "D"})

    assert (plain.body["lane"], other.body["lane"]) == ("B", "D")
    assert plain.body["input"] == {"env": "staging", "version": "1.0.0"}


async def test_the_same_key_makes_one_run(ann: Person, bob: Person) -> None:
    """M-RUN-17: one for each person, however it is asked; another body is refused."""
    body = {"kind": "manual", "input": {"n": 1}, "idempotency_key": "k1"}

    first = await ann.post("/runs.create", body)
    again = await ann.post("/v1/runs", body)
    other = await ann.post("/runs.create", {**body, "input": {"n": 2}})
    of_bob = await bob.post("/runs.create", body)

    assert first.body["id"] == again.body["id"] == "R-1"
    assert (other.status, other.error["code"]) == (422, "idempotency_key_reused")
    assert of_bob.body["id"] == "R-2"


@pytest.mark.parametrize("path", ["/runs.create", "/v1/runs/start"])
@pytest.mark.parametrize("when", [{"delay": "1h"}, {"at": "2026-11-04T10:00:00Z"}])
async def test_a_run_is_made_for_later_by_either_call(
    ann: Person, path: str, when: dict[str, str]
) -> None:
    """M-RUN-10: who knows one of them knows the options of the other."""
    more = {"ttl": "2h", "deadline": "3h", "labels": ["gpu"], "priority": 7}
    answer = await ann.post(path, {"template": "demo-deploy", **when, **more})
    run = (await ann.get("/v1/runs/R-1")).body

    assert answer.status in (201, 202), answer
    assert (run["status"], run["priority"]) == ("scheduled", 7)
    assert (run["available_at"][:16], run["labels"]) == ("2026-11-04T10:00", ["gpu"])


_BAD_RUNS: Sequence[tuple[dict[str, Any], int, str]] = [
    ({}, 422, "template or a kind"),
    ({"kind": "noop", "template": "demo-deploy"}, 422, "kind"),
    ({"kind": "shell"}, 422, "shell"),
    ({"template": "nothing"}, 404, "nothing"),
    ({"template": "demo-deploy", "input": {"env": "moon"}}, 422, "env"),
    ({"kind": "manual", "lane": "E"}, 422, "lane"),
    ({"kind": "manual", "lane": None, "priority": "high"}, 422, "priority"),
    ({"kind": "manual", "priority": 10**9}, 422, "it is -1000 to 1000"),
    ({"kind": "manual", "edition": 2}, 422, "edition"),
    ({"kind": "manual", "delay": "1h", "at": "2030-01-01"}, 422, "either"),
    ({"kind": "manual", "input": []}, 422, "input"),
    ({"kind": "manual", "labels": ["two words"]}, 422, "two words"),
    ({"kind": "manual", "spec": 1}, 422, "spec"),
]


async def test_what_cannot_be_made_is_refused_by_field(ann: Person) -> None:
    """M-RUN-10: a problem that names what is wrong and what to do; nothing is made."""
    for body, status, word in _BAD_RUNS:
        answer = await ann.post("/runs.create", body)

        assert (answer.status, answer.is_problem) == (status, True), answer
        assert word in answer.error["detail"]
        assert answer.error["fix"]
    assert (await ann.get("/v1/runs")).body["items"] == []


_NO_PATHS = (
    "GET /v1/runs/R-1/nothing",
    "POST /runs.nothing",
    "POST /v1/runs/R-1/explode",
    "GET /v1/workers/w1/nothing",
    "GET /api/v1/tasks/R-1/nothing",
)
_NOT_THERE = (
    "GET /v1/runs/R-9",
    "GET /v1/runs/R-9/steps",
    "GET /v1/runs/R-9/events",
    "GET /v1/runs/R-9/explain",
    "POST /v1/runs/R-9/retry",
    "POST /v1/runs/R-9/pause",
    "POST /v1/runs/R-9/resume",
    "POST /v1/runs/R-9/cancel",
    "POST /v1/runs/R-9/approve",
    "GET /v1/workers/nobody",
    "POST /v1/workers/nobody/drain",
    "GET /api/v1/tasks/R-9",
    "DELETE /api/v1/tasks/R-9",
)


async def test_an_unknown_path_is_404(ann: Person) -> None:
    """M-RUN-10: with a problem document, as everywhere."""
    for route in _NO_PATHS:
        method, path = route.split()
        answer = await ann.call(method, path)

        assert (answer.status, answer.is_problem) == (404, True), route
        assert answer.error["code"] == "no_such_page"


async def test_what_is_not_there_is_404(admin: Person) -> None:
    """M-RUN-10: every route that names something says so."""
    for route in _NOT_THERE:
        method, path = route.split()
        answer = await admin.call(method, path)

        assert (answer.status, answer.error["code"]) == (404, "not_found"), route


async def test_start_shows_the_resolved_parameters_before_it_is_confirmed(
    ann: Person,
) -> None:
    """Row 19: the confirmation names every parameter, defaults too."""
    asked = await ann.say("run start demo-deploy version=1.9.2 --lane A")

    assert asked.status == 409
    pairs = [
        tuple(pair)
        for block in asked.body["blocks"]
        if block["t"] == "fields"
        for pair in block["pairs"]
    ]
    assert {("env", "staging"), ("version", "1.9.2"), ("lane", "A")} <= set(pairs)
    assert (await ann.get("/v1/runs")).body["items"] == []

    begun = await ann.say(f"confirm {asked.data['token']}")

    assert (begun.status, begun.body["status"]) == (202, "running")
    assert begun.data["input"] == {"env": "staging", "version": "1.9.2"}
    assert [each["label"] for each in begun.body["blocks"][-1]["items"]][-1] == "Cancel"


async def test_start_as_a_call_is_consent_and_answers_202(ann: Person) -> None:
    """Row 19 over REST; the time, the labels and the deadlines are the caller's."""
    answer = await ann.post(
        "/v1/runs/start",
        {
            "template": "demo-deploy",
            "params": ["env=prod"],
            "json_params": {"version": "2"},
            "labels": ["gpu"],
            "delay": "1h",
            "deadline": "2h",
            "ttl": "90m",
        },
    )

    run = answer.body
    assert (answer.status, run["status"], run["labels"]) == (202, "scheduled", ["gpu"])
    assert run["available_at"] == "2026-11-04T10:00:00.000000Z"
    assert run["ttl_at"] == "2026-11-04T10:30:00.000000Z"
    assert run["deadline_at"] == "2026-11-04T11:00:00.000000Z"


_BAD_WORDS = {
    "env": '"env" is no parameter',
    "env=prod env=staging": "given twice",
    'env=prod --json-params {"env":"prod"}': "given twice",
    "colour=red": "colour",
    "version=latest": "version",
    "--delay 1h --at 2027-01-01T00:00Z": "either after a while or at a moment",
}


async def test_start_refuses_parameters_by_name(ann: Person) -> None:
    """Nothing is asked to be confirmed that could not work."""
    for words, why in _BAD_WORDS.items():
        answer = await ann.say(f"run start demo-deploy {words}")

        assert answer.status == 400, answer
        assert why in answer.error["detail"]


async def test_list_filters_by_every_field(
    admin: Person, ann: Person, clock: FakeClock
) -> None:
    """M-RUN-20: status, lane, template, worker, person and moment."""
    await made(admin, lane="A")
    clock.advance(timedelta(hours=1))
    await ann.post("/runs.create", {"template": "demo-deploy"})
    held = await claimed(admin, lanes=["A"])

    async def ids(query: str) -> list[str]:
        answer = await ann.get(f"/v1/runs?{query}")
        assert answer.status == 200, answer
        return [each["id"] for each in answer.body["items"]]

    assert held["id"] == "R-1"
    assert await ids("") == ["R-2", "R-1"]
    assert await ids("status=claimed") == ["R-1"]
    assert await ids("status=claimed,queued") == ["R-2", "R-1"]
    assert await ids("lane=B") == ["R-2"]
    assert await ids("template=demo-deploy") == ["R-2"]
    assert await ids("worker=w1") == ["R-1"]
    assert await ids("actor=ann") == ["R-2"]
    assert await ids("kind=manual") == ["R-1"]
    assert await ids("since=2026-11-04T09:30:00Z") == ["R-2"]
    assert await ids("until=2026-11-04T09:30:00Z") == ["R-1"]


async def test_list_goes_on_page_by_page(ann: Person) -> None:
    """A cursor stays where it was while more runs are made."""
    for _ in range(3):
        await made(ann)
    first = (await ann.get("/v1/runs?limit=2")).body
    await made(ann)

    rest = (await ann.get(f"/v1/runs?limit=2&cursor={first['next']}")).body

    assert [each["id"] for each in first["items"]] == ["R-3", "R-2"]
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["R-1"], None)


async def test_list_refuses_bad_filters(ann: Person) -> None:
    """M-RUN-10: 400, for the fault lies in the query."""
    for query in ("status=lost", "lane=X", "limit=0", "colour=red", "cursor=x"):
        answer = await ann.get(f"/v1/runs?{query}")

        assert (answer.status, answer.is_problem) == (400, True), query


async def test_show_has_steps_error_artifacts_and_what_can_be_done(
    admin: Person,
) -> None:
    """M-RUN-09: a failure says where and why."""
    await made(admin)
    held = await claimed(admin)
    about = {"run_id": held["id"], "fence": held["fence"]}
    step = {"type": "step", "step": "build", "status": "running"}
    ended = {**step, "status": "failed", "exit_code": 2, "detail": "no disk"}
    await admin.post("/events.append", {**about, "events": [step, ended]})
    error = {"code": "exit_code", "detail": "build returned 2", "step": "build"}
    await admin.post(
        "/runs.complete", {**about, "status": "failed", "error": error, "final": True}
    )

    shown = await admin.say("R-1")

    assert shown.data["error"] == error
    assert [each["exit_code"] for each in shown.data["steps"]] == [2]
    assert shown.data["artifacts"] == []
    assert "build returned 2" in shown.body["summary"]
    labels = [each["label"] for each in shown.body["blocks"][-1]["items"]]
    assert labels == ["Show", "Logs", "Retry"]


async def test_events_of_a_run_are_in_order(admin: Person) -> None:
    """M-RUN-07: what happened to it, from the queue to its end."""
    await made(admin)
    held = await claimed(admin)
    await admin.post(
        "/runs.complete",
        {"run_id": held["id"], "fence": held["fence"], "status": "succeeded"},
    )

    found = (await admin.get("/v1/runs/R-1/events")).body["items"]

    names = [each["event"] for each in found]
    assert names[0] == "run_queued"
    assert names[-1] == "run_succeeded"
    assert "run_claimed" in names


async def test_explain_says_why_and_what_helps(admin: Person) -> None:
    """A lane that is drained holds its runs up; show says the same."""
    await admin.post("/v1/lanes/C/drain")
    await made(admin)

    told = (await admin.get("/v1/runs/R-1/explain")).body
    shown = (await admin.get("/v1/runs/R-1")).body

    assert told["code"].startswith("lane")
    assert "lane open C" in told["fix"]
    assert shown["state"] == told["text"]


async def test_pause_and_resume_undo_each_other(admin: Person) -> None:
    """A queued run that is paused is given to nobody."""
    await made(admin)

    paused = await admin.say("pause R-1 --reason busy", x_opswire_conversation="c")
    nothing = await admin.post("/runs.claim", {"worker": "w1"})
    undone = await admin.say("undo", x_opswire_conversation="c")

    assert (paused.data["status"], paused.data["reason"]) == ("paused", "busy")
    assert nothing.body == {"runs": []}
    assert undone.data["status"] == "queued"


async def test_cancel_ends_what_waits_at_once(ann: Person) -> None:
    """M-RUN-06: by RPC and by REST; a second time changes nothing."""
    await made(ann)
    await made(ann)

    rpc = await ann.post("/runs.cancel", {"run_id": "R-1", "reason": "late"})
    rest = await ann.post("/v1/runs/R-2/cancel", {"reason": "late"})
    again = await ann.post("/v1/runs/R-2/cancel", {})

    assert {rpc.body["status"], rest.body["status"]} == {"cancelled"}
    assert rpc.body["reason"] == "late"
    assert (again.status, again.body["version"]) == (200, rest.body["version"])


async def test_cancel_of_a_held_run_goes_on_until_its_worker_stopped(
    admin: Person,
) -> None:
    """M-RUN-18: 202 until then; the heartbeat carries the order."""
    await made(admin)
    held = await claimed(admin)
    about = {"run_id": "R-1", "fence": held["fence"]}

    asked = await admin.post("/runs.cancel", {"run_id": "R-1", "reason": "late"})
    beat = await admin.post("/runs.heartbeat", about)
    done = await admin.post("/runs.complete", {**about, "status": "cancelled"})

    assert (asked.status, asked.body["status"]) == (202, "cancelling")
    assert beat.body["cancel"] is True
    assert done.body["status"] == "cancelled"


async def test_a_line_that_cancels_is_confirmed_first(ann: Person) -> None:
    """Row 22: risky; a heartbeat does not void it, a new state does."""
    await made(ann)

    asked = await ann.say('cancel R-1 --reason "wrong version"')
    await ann.post("/v1/runs/R-1/pause")
    void = await ann.say(f"confirm {asked.data['token']}")
    fresh = await ann.say('cancel R-1 --reason "wrong version"')
    done = await ann.say(f"confirm {fresh.data['token']}")

    assert (asked.status, void.status) == (409, 409)
    assert (done.data["status"], done.data["reason"]) == ("cancelled", "wrong version")


async def test_retry_makes_a_new_run(ann: Person) -> None:
    """The old one stays as it ended, and is the parent."""
    await made(ann, input={"n": 1})
    early = await ann.post("/v1/runs/R-1/retry")
    await ann.post("/v1/runs/R-1/cancel")

    again = await ann.post("/v1/runs/R-1/retry")

    assert (early.status, early.error["code"]) == (409, "illegal_move")
    assert (again.status, again.body["id"]) == (202, "R-2")
    assert (again.body["parent"], again.body["input"]) == ("R-1", {"n": 1})
    assert (await ann.get("/v1/runs?parent=R-1")).body["items"][0]["id"] == "R-2"


async def test_nobody_approves_their_own_run(
    gateway: Gateway, admin: Person, ann: Person
) -> None:
    """A run that awaits approval begins once somebody else says so."""
    new = NewRun(kind="manual", needs_approval=True)
    gateway.graph.db.run(lambda tx: runs.create(tx, new), by=admin_of(gateway))

    own = await admin.post("/v1/runs/R-1/approve")
    other = await ann.post("/v1/runs/R-1/approve")

    assert (own.status, own.error["code"]) == (403, "self_approval")
    assert other.body["status"] == "queued"


_WRITES: Mapping[str, dict[str, Any]] = {
    "/v1/runs/R-1/cancel": {},
    "/v1/workers/w1/drain": {},
    "/v1/lanes/A/drain": {},
    "/v1/runs/start": {"template": "demo-deploy"},
    "/runs.create": {"kind": "manual"},
    "/v1/runs/bulk": {"action": "cancel", "ids": ["R-1"]},
    "/runs.claim": {"worker": "w1"},
    "/runs.heartbeat": {"run_id": "R-1", "fence": 1},
    "/runs.complete": {"run_id": "R-1", "fence": 1, "status": "succeeded"},
    "/events.append": {"run_id": "R-1", "fence": 1, "events": []},
    "/runs.secrets": {"run_id": "R-1", "fence": 1},
}


async def test_viewers_only_look(gateway: Gateway) -> None:
    """R-58: runs:read shows, and does nothing."""
    viewer = gateway.person("vera", Role.VIEWER)

    for path, body in _WRITES.items():
        answer = await viewer.post(path, body)
        assert (answer.status, answer.error["code"]) == (403, "missing_scope"), path

    assert (await viewer.get("/v1/runs")).status == 200
