"""Many runs at once: counted first, each by itself, told afterwards (M-RUN-20)."""

from datetime import timedelta
from typing import Any

from tests.api.gateway import Gateway, Person
from tests.conftest import FakeClock

PATH = "/v1/runs/bulk"


async def made(by: Person, count: int, **more: Any) -> None:
    """Make so many manual runs."""
    for _ in range(count):
        answer = await by.post("/runs.create", {"kind": "manual", **more})
        assert answer.status == 201


async def statuses(by: Person) -> dict[str, str]:
    """How each run stands."""
    items = (await by.get("/v1/runs?limit=100")).body["items"]
    return {each["id"]: each["status"] for each in items}


async def test_bulk_by_ids_tells_what_became_of_each(ann: Person) -> None:
    """M-RUN-20: one that refuses keeps no other from being changed."""
    await made(ann, 2)
    await ann.post("/v1/runs/R-1/cancel")

    answer = await ann.post(PATH, {"action": "pause", "ids": ["R-1", "R-2", "R-9"]})

    told = [(each["id"], each["ok"], each["code"]) for each in answer.body["items"]]
    assert told == [
        ("R-1", False, "illegal_move"),
        ("R-2", True, ""),
        ("R-9", False, "not_found"),
    ]
    assert (answer.body["done"], answer.body["failed"]) == (1, 2)
    assert await statuses(ann) == {"R-1": "cancelled", "R-2": "paused"}


async def test_bulk_by_query_means_what_the_verb_is_for(
    ann: Person, clock: FakeClock
) -> None:
    """M-RUN-20: lane, age and status; only what can be cancelled is meant."""
    await made(ann, 2, lane="D")
    clock.advance(timedelta(hours=2))
    await made(ann, 1, lane="D")
    await made(ann, 1, lane="A")
    await ann.post("/v1/runs/R-1/cancel")

    answer = await ann.post(PATH, {"action": "cancel", "lane": "D", "older_than": "1h"})

    assert [each["id"] for each in answer.body["items"]] == ["R-2"]
    assert await statuses(ann) == {
        "R-1": "cancelled",
        "R-2": "cancelled",
        "R-3": "queued",
        "R-4": "queued",
    }


async def test_bulk_retry_names_the_new_runs(ann: Person) -> None:
    """M-RUN-20: what is over is begun anew."""
    await made(ann, 1)
    await ann.post("/v1/runs/R-1/cancel")

    answer = await ann.post(PATH, {"action": "retry", "status": ["cancelled"]})

    (one,) = answer.body["items"]
    assert (one["id"], one["made"], one["status"]) == ("R-1", "R-2", "queued")


async def test_a_dry_run_counts_and_changes_nothing(ann: Person) -> None:
    """M-RUN-20: however many are meant."""
    await made(ann, 21)

    counted = await ann.post(PATH, {"action": "cancel", "lane": "C", "dry_run": True})
    refused = await ann.post(PATH, {"action": "cancel", "lane": "C"})

    assert (counted.status, counted.body["matched"]) == (200, 21)
    assert (refused.status, refused.error["code"]) == (409, "conflict")
    assert "--most 21" in refused.error["fix"][0]
    assert set((await statuses(ann)).values()) == {"queued"}


async def test_more_than_twenty_are_changed_when_that_is_said(ann: Person) -> None:
    """M-RUN-20: all of them, and more than one page."""
    await made(ann, 103)

    done = await ann.post(PATH, {"action": "cancel", "lane": "C", "most": 200})

    assert (done.body["matched"], done.body["done"]) == (103, 103)


async def test_a_line_is_confirmed_first(ann: Person) -> None:
    """Bulk is risky; what is confirmed is what was counted."""
    await made(ann, 2)

    asked = await ann.say("run bulk cancel --status queued --reason obsolete")
    done = await ann.say(f"confirm {asked.data['token']}")

    assert asked.status == 409
    assert (done.data["matched"], done.data["done"]) == (2, 2)


async def test_what_became_of_them_is_an_event(gateway: Gateway, ann: Person) -> None:
    """M-RUN-20: tracked, for whoever did not wait."""
    await made(ann, 2)
    await ann.post(PATH, {"action": "pause", "ids": ["R-1", "R-2"]})

    found = await ann.get("/v1/events/list?type=run_bulk_finished")

    (event,) = found.body["items"]
    assert event["details"]["results"] == {"R-1": "paused", "R-2": "paused"}
    assert event["details"]["done"] == 2


async def test_bulk_refuses_what_is_not_clear(ann: Person) -> None:
    """M-RUN-10: nothing meant, both ways meant, too many."""
    for body, word in (
        ({"action": "cancel"}, "no runs are meant"),
        ({"action": "cancel", "ids": ["R-1"], "lane": "A"}, "leave"),
        ({"action": "explode", "ids": ["R-1"]}, "explode"),
        ({"action": "cancel", "lane": "A", "most": 5000}, "5000"),
    ):
        answer = await ann.post(PATH, body)

        assert (answer.status, answer.is_problem) == (422, True), answer
        assert word in f"{answer.error['detail']} {answer.error['fix']}"
