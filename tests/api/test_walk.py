"""The life of a task over HTTP, as somebody with curl walks through it."""

from datetime import timedelta

from tests.api.gateway import Body, Gateway, Person


async def created(by: Person, **fields: object) -> str:
    """Create a task; return its path."""
    answer = await by.post("/collab/tasks", {"title": "Fix login", **fields})
    assert answer.status == 201, answer
    return f"/collab/tasks/{answer.body['id']}"


async def moved(by: Person, task: str, *statuses: str) -> None:
    for status in statuses:
        answer = await by.post(f"{task}/transition", {"status": status})
        assert answer.status == 200, answer


async def test_a_known_etag_is_answered_with_304(ann: Person) -> None:
    """R-20."""
    task = await created(ann)
    first = await ann.get(task)

    again = await ann.get(task, if_none_match=first.etag)

    assert (again.status, again.raw, again.etag) == (304, b"", first.etag)


async def test_a_change_needs_the_etag_of_what_it_changes(ann: Person) -> None:
    """R-20: missing 428, stale 412 with the current ETag, fresh 200 with a new one."""
    task = await created(ann)
    old = (await ann.get(task)).etag
    body = {"title": "Fix the login"}

    missing = await ann.patch(task, body)
    fresh = await ann.patch(task, body, if_match=old)
    stale = await ann.patch(task, body, if_match=old)

    assert (missing.status, missing.error["code"]) == (428, "precondition_required")
    assert (fresh.status, fresh.body["ok"]) == (200, True)
    assert fresh.etag != old
    assert (stale.status, stale.error["code"]) == (412, "stale_version")
    assert stale.etag == fresh.etag == f'"{stale.error["etag"]}"'


async def test_a_collection_etag_turns_stale_with_any_task(ann: Person) -> None:
    """M-COL: the state document's ETag is that of the whole collection."""
    await created(ann)
    first = await ann.get("/collab/state/tasks")

    known = await ann.get("/collab/state/tasks", if_none_match=first.etag)
    await created(ann)
    changed = await ann.get("/collab/state/tasks", if_none_match=first.etag)

    assert known.status == 304
    assert changed.status == 200
    assert changed.etag != first.etag


async def test_a_task_goes_through_to_done(ann: Person, bob: Person) -> None:
    """M-COL: approval waits for the checklist, and is not the implementer's to give."""
    task = await created(ann, dod=["tests", "docs"])
    assert (await ann.post(f"{task}/claim")).status == 200
    await moved(ann, task, "in_progress", "review")

    early = await bob.post(f"{task}/transition", {"status": "approved"})
    for line in ("tests", "docs"):
        assert (await ann.post(f"{task}/tick", {"which": line})).status == 200
    own = await ann.post(f"{task}/transition", {"status": "approved"})
    approved = await bob.post(f"{task}/transition", {"status": "approved"})
    await moved(ann, task, "merging", "done")

    assert (early.status, early.error["code"]) == (409, "illegal_move")
    assert (own.status, own.error["code"]) == (409, "illegal_move")
    assert approved.body["old_status"] == "review"
    assert approved.body["new_status"] == "approved"
    assert (await ann.get(task)).body["status"] == "done"


async def test_a_lease_has_one_holder_until_it_expires(
    gateway: Gateway, ann: Person, bob: Person
) -> None:
    """R-22: 409 with retry_after, then reclaimed, and its task is queued again."""
    task = await created(ann)
    task_id = task.rpartition("/")[2]
    body: Body = {"resource": task_id, "ttl_seconds": 60}

    held = await ann.post("/collab/leases/acquire", body)
    refused = await bob.post("/collab/leases/acquire", body)
    gateway.clock.advance(timedelta(seconds=61))
    await gateway.sweep()

    assert held.status == 200
    assert (refused.status, refused.error["code"]) == (409, "lease_held")
    assert refused.error["holder"] == "ann"
    assert refused.headers["retry-after"] == str(refused.error["retry_after"]) == "60"
    assert (await ann.get(task)).body["status"] == "queued"
    assert (await ann.get("/collab/leases")).body["items"] == []
    events = (await ann.get(f"/v1/events/list?target={task_id}")).body["items"]
    assert [each["event"] for each in events][-2:] == [
        "lease_reclaimed",
        "status_changed",
    ]


async def test_a_heartbeat_keeps_a_lease_and_an_old_fence_does_not(
    gateway: Gateway, ann: Person
) -> None:
    """R-22."""
    lease = (
        await ann.post("/collab/leases/acquire", {"resource": "prod", "ttl": "1m"})
    ).body
    path = f"/collab/leases/{lease['lock_id']}"

    gateway.clock.advance(timedelta(seconds=50))
    renewed = await ann.post(f"{path}/heartbeat", {"fence": lease["fence"]})
    gateway.clock.advance(timedelta(seconds=50))
    await gateway.sweep()
    wrong = await ann.post(f"{path}/release", {"fence": lease["fence"] + 1})
    released = await ann.post(f"{path}/release", {"fence": lease["fence"]})

    assert renewed.status == 200
    assert (wrong.status, wrong.error["code"]) == (409, "lease_lost")
    assert (released.status, released.body["ok"]) == (200, True)
