"""Jobs from asking to taking away: over every door, and as the API promises."""

import asyncio
import io
import zipfile
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any

import orjson
import pytest

from core.kernel.principal import DEFAULT_TENANT, Role, system
from core.kernel.problems import Unavailable
from core.providers.model import Generated, Request
from core.runs.artifacts import service as artifacts
from gateway.testing.channels import Channel
from tests.api.conftest import Serve
from tests.api.five import CHANNELS, staged
from tests.api.gateway import Gateway, Person
from tests.api.test_auth import log_in, with_password
from tests.api.work import work_off
from tests.conftest import FakeClock

JSON = {"accept": "application/json"}


async def done(channel: Channel, line: str) -> Any:
    """Say a line, and give the data of its answer."""
    reply = await channel.say(line)
    assert reply["status"] in ("ok", "running"), reply
    return reply["data"]


@pytest.mark.parametrize("at", range(len(CHANNELS)), ids=[c.__name__ for c in CHANNELS])
async def test_a_job_goes_all_the_way_over_every_door(
    serve: Serve, clock: FakeClock, at: int
) -> None:
    """M-JOB-07: asked for, made by a real worker, accepted, exported, listed."""
    async with staged(serve, clock) as there:
        channel = CHANNELS[at](there.street, there.admin)
        await there.gateway.graph.outward.reactor.begin()

        made = await done(channel, 'job create "Release notes" --preset changelog')
        assert (made["id"], made["status"]) == ("J-1", "queued")
        assert await work_off(there.gateway) == 1
        listed = await done(channel, "variant list J-1")
        assert [each["id"] for each in listed["items"]] == ["V-1", "V-2"]
        accepted = await done(channel, "variant accept V-1")
        assert accepted["accepted_at"]
        exported = await done(channel, "export create V-1 --format zip")
        found = await done(channel, "export list --job J-1")
        over = await done(channel, "job show J-1")

    assert [each["id"] for each in found["items"]] == [exported["id"]] == ["X-1"]
    assert (over["status"], over["accepted"]) == ("exported", "V-1")


@pytest.fixture
async def at_work(gateway: Gateway) -> Gateway:
    """A gateway whose consumers have their places."""
    await gateway.graph.outward.reactor.begin()
    return gateway


@pytest.fixture
async def reviewed(at_work: Gateway, ann: Person) -> Gateway:
    """J-1 in review, with V-1 and V-2, all of them ann's."""
    assert (await ann.post("/jobs", {"title": "Notes 1.2"})).status == 202
    assert await work_off(at_work) == 1
    return at_work


@pytest.fixture
async def accepted(reviewed: Gateway, ann: Person) -> Gateway:
    """V-1 accepted, and not exported yet."""
    assert (await ann.post("/variants/V-1/accept")).status == 200
    return reviewed


async def test_a_job_is_created_by_its_title_or_its_name(
    at_work: Gateway, ann: Person
) -> None:
    """M-JOB-01."""
    titled = await ann.post("/jobs", {"title": "A", "description": "More of it"})
    named = await ann.post("/jobs", {"name": "B"})
    torn = await ann.post("/jobs", {"title": "A", "name": "B"})
    bare = await ann.post("/jobs", {"description": "what?"})

    assert (titled.status, titled.body["id"]) == (202, "J-1")
    assert (titled.body["status"], titled.body["run_status"]) == ("queued", "queued")
    assert named.body["title"] == "B"
    assert [torn.status, bare.status] == [422, 422]
    assert bare.body["fix"]


async def test_jobs_carry_strong_tags(at_work: Gateway, ann: Person) -> None:
    """M-JOB-02: a tag changes with what it is of, and with nothing else."""
    await ann.post("/jobs", {"title": "A"})
    one, every = await ann.get("/jobs/J-1"), await ann.get("/jobs")

    for path, seen in (("/jobs/J-1", one), ("/jobs", every)):
        assert seen.etag.startswith('"')
        again = await ann.get(path, if_none_match=seen.etag)
        assert (again.status, again.raw) == (304, b"")
    await work_off(at_work)

    assert (await ann.get("/jobs/J-1", if_none_match=one.etag)).status == 200
    assert (await ann.get("/jobs", if_none_match=every.etag)).status == 200
    stale = await ann.post("/jobs/J-1/cancel", if_match=one.etag)
    assert (stale.status, stale.body["code"]) == (412, "stale_version")
    assert "changed_by" not in stale.body


async def test_the_same_key_has_one_effect(at_work: Gateway, ann: Person) -> None:
    """M-JOB-03: by the header as anywhere, and by a key in the body for ever."""
    body = {"title": "A"}
    first = await ann.post("/jobs", body, idempotency_key="k1")
    again = await ann.post("/jobs", body, idempotency_key="k1")
    other = await ann.post("/jobs", {"title": "B"}, idempotency_key="k1")
    assert first.body == again.body
    assert other.status == 422

    keyed = {"title": "A", "idempotency_key": "k2"}
    made = [await ann.post("/jobs", keyed) for _ in range(2)]
    torn = await ann.post("/jobs", {**keyed, "title": "B"})
    assert [each.body["id"] for each in made] == ["J-2", "J-2"]
    assert (torn.status, torn.body["code"]) == (422, "idempotency_key_reused")
    assert len((await ann.get("/jobs")).body["items"]) == 2


async def test_the_run_of_a_job_is_seen(at_work: Gateway, ann: Person) -> None:
    """M-JOB-11."""
    made = await ann.post("/jobs", {"title": "A"})

    run = await ann.get(f"/v1/runs/{made.body['run_id']}")
    assert (run.body["job"], run.body["kind"]) == ("J-1", "job.generate")
    await work_off(at_work)

    seen = await ann.get("/jobs/J-1")
    assert (seen.body["status"], seen.body["run_status"]) == ("review", "succeeded")


async def test_cancelling_ends_job_and_run(at_work: Gateway, ann: Person) -> None:
    """M-JOB-10: what is cancelled is never made."""
    made = await ann.post("/jobs", {"title": "A"})

    ended = await ann.post("/jobs/J-1/cancel", {"reason": "not needed"})

    assert (ended.status, ended.body["status"]) == (200, "cancelled")
    assert ended.body["run_status"] == "cancelled"
    assert await work_off(at_work) == 0
    assert (await ann.get("/jobs/J-1/variants")).body["items"] == []
    run = await ann.get(f"/v1/runs/{made.body['run_id']}")
    assert run.body["status"] == "cancelled"


async def test_cancelling_by_a_line_asks_first(at_work: Gateway, ann: Person) -> None:
    await ann.post("/jobs", {"title": "A"})

    asked = await ann.say("cancel J-1 --reason late")
    assert (asked.status, asked.body["status"]) == (409, "needs_confirmation")
    confirmed = await ann.say(f"confirm {asked.data['token']}")

    assert confirmed.data["status"] == "cancelled"


async def test_a_variant_is_edited_and_accepted_by_put(
    reviewed: Gateway, ann: Person
) -> None:
    """M-JOB-04."""
    seen = await ann.get("/variants/V-2")
    text = {"title": "Better", "body": "# Better\n", "accepted": True}

    done = await ann.call("PUT", "/variants/V-2", text, if_match=seen.etag)

    assert (done.status, done.body["title"]) == (200, "Better")
    assert (done.body["edited_by"], done.body["accepted_by"]) == ("ann", "ann")
    assert done.body["accepted_at"]
    assert done.etag == (await ann.get("/variants/V-2")).etag
    stale = await ann.call("PUT", "/variants/V-2", text, if_match=seen.etag)
    assert stale.status == 412
    assert (await ann.get("/jobs/J-1")).body["accepted"] == "V-2"


async def test_one_variant_of_a_job_is_accepted(reviewed: Gateway, ann: Person) -> None:
    """M-JOB-04: accepting another moves the acceptance, and undo moves it back."""
    for each in ("V-1", "V-2"):
        assert (await ann.post(f"/variants/{each}/accept")).status == 200

    def chosen(body: Any) -> list[str]:
        return [each["id"] for each in body["items"] if each["accepted_at"]]

    assert chosen((await ann.get("/jobs/J-1/variants")).body) == ["V-2"]
    moved = await ann.say("accept V-1")
    assert moved.body["undo"]["command"] == "variant accept V-2"
    await ann.say(moved.body["undo"]["command"])
    assert chosen((await ann.get("/jobs/J-1/variants")).body) == ["V-2"]


async def test_an_accepted_text_stays_as_it_was_read(
    accepted: Gateway, ann: Person
) -> None:
    refused = await ann.call("PUT", "/variants/V-1", {"body": "sneaky"})
    assert (refused.status, refused.body["code"]) == (409, "conflict")

    back = await ann.call("PUT", "/variants/V-1", {"accepted": False})
    edited = await ann.call("PUT", "/variants/V-1", {"body": "honest"})

    assert (back.body["accepted_at"], edited.status) == (None, 200)
    assert (await ann.get("/jobs/J-1")).body["status"] == "review"


async def test_an_export_is_a_zip_that_opens(accepted: Gateway, ann: Person) -> None:
    """M-JOB-05, R-67: bytes for whoever asks for nothing else; equal ones each time."""
    first = await ann.call("POST", "/export/V-1")
    again = await ann.call("POST", "/export/V-1", accept="*/*")

    assert first.status == again.status
    assert first.status < 300
    assert first.headers["content-disposition"].startswith("attachment; filename=")
    assert first.headers["x-content-type-options"] == "nosniff"
    assert "html" not in first.headers["content-type"]
    assert first.raw == again.raw
    body = (await ann.get("/variants/V-1")).body["body"]
    with zipfile.ZipFile(io.BytesIO(first.raw)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == [
        "job.json",
        "manifest.json",
        "variant.json",
        "variant.md",
    ]
    assert files["variant.md"].decode() == body
    manifest = orjson.loads(files["manifest.json"])
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: sha256(content).hexdigest()
        for name, content in files.items()
        if name != "manifest.json"
    }


async def test_an_export_is_json_for_whoever_asks(
    accepted: Gateway, ann: Person
) -> None:
    """M-JOB-05."""
    accepting = await ann.call("POST", "/export/V-1", {}, **JSON)
    asked = await ann.call("POST", "/export/V-1?as=json", {"format": "md"})

    assert [accepting.status, asked.status] == [201, 201]
    assert (accepting.body["id"], asked.body["format"]) == ("X-1", "md")
    assert asked.body["name"].endswith(".md")
    plain = await ann.call("POST", "/export/V-1?format=md")
    assert plain.raw.startswith(b"# Notes 1.2")
    assert (await ann.call("POST", "/export/V-1?format=pdf")).status == 400
    shown = [each["id"] for each in (await ann.get("/exports")).body["items"]]
    assert shown == ["X-3", "X-2", "X-1"]
    assert (await ann.get("/jobs/J-1")).body["status"] == "exported"


@pytest.mark.parametrize("kind", ["md", "json", "zip"])
async def test_a_link_gives_the_file_to_whoever_has_it(
    accepted: Gateway, ann: Person, kind: str
) -> None:
    """R-67: without a sign-in, as an attachment that nothing opens."""
    made = await ann.call("POST", "/export/V-1", {"format": kind}, **JSON)

    got = await fetched(accepted, made.body["url"])

    assert got.status == 200
    assert sha256(got.raw).hexdigest() == made.body["sha256"]
    assert len(got.raw) == made.body["size_bytes"]
    assert made.body["name"] in got.headers["content-disposition"]
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"


async def test_a_link_ends_after_a_day(
    accepted: Gateway, ann: Person, clock: FakeClock
) -> None:
    made = await ann.call("POST", "/export/V-1", {}, **JSON)
    url = made.body["url"]

    clock.advance(timedelta(hours=24) - timedelta(seconds=1))
    assert (await fetched(accepted, url)).status == 200
    clock.advance(timedelta(seconds=1))
    over = await fetched(accepted, url)

    assert (over.status, over.body["code"]) == (410, "link_expired")
    assert "good until 2026-11-05" in over.body["detail"]
    assert (await ann.get("/exports/X-1")).body["url"] != url


async def test_a_forged_link_opens_nothing(accepted: Gateway, ann: Person) -> None:
    made = await ann.call("POST", "/export/V-1", {}, **JSON)
    url = made.body["url"]

    for forged in (url[:-1], f"{url}A", url.replace("v1.", "v2."), url[:-3] + "AAA"):
        got = await fetched(accepted, forged)
        assert (got.status, got.body["code"]) == (404, "not_found")


async def test_a_link_of_one_tenant_is_of_no_use_in_another(
    accepted: Gateway, ann: Person
) -> None:
    """The tenant is part of what was signed; X-1 of another tenant stays its own."""
    boss = accepted.person("boss", Role.ADMIN, tenant="zulu")
    made = await ann.call("POST", "/export/V-1", {}, **JSON)

    assert (await boss.get("/exports/X-1")).status == 404
    assert (await boss.get(f"/v1/artifacts/{made.body['artifact_id']}")).status == 404
    assert (await fetched(accepted, made.body["url"])).status == 200


async def test_what_is_not_accepted_is_not_exported(
    reviewed: Gateway, ann: Person
) -> None:
    """M-JOB-05: the refusal says what to do."""
    refused = await ann.post("/export/V-1")

    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert refused.body["fix"] == ["variant accept V-1"]
    assert (await ann.get("/exports")).body["items"] == []


async def test_a_file_is_named_by_its_title_and_never_a_path(
    reviewed: Gateway, ann: Person
) -> None:
    """R-67."""
    for title in ("../../etc/passwd", 'a"; filename="x.exe', "CON", "日本", "a\u202eb"):
        edit = {"title": title, "accepted": True}
        assert (await ann.call("PUT", "/variants/V-1", edit)).status == 200
        name = (await ann.get("/variants/V-1")).body["title"]
        assert name == title
        await ann.call("PUT", "/variants/V-1", {"accepted": False})
    await ann.post("/variants/V-1/accept")

    made = await ann.call("POST", "/export/V-1", {}, **JSON)

    assert made.body["name"] == "a-b-V-1.zip"


async def test_three_jobs_at_once_all_get_their_own(
    at_work: Gateway, ann: Person
) -> None:
    """M-JOB-12."""
    titles = ("red", "green", "blue")
    made = await asyncio.gather(*(ann.post("/jobs", {"title": t}) for t in titles))
    assert [each.status for each in made] == [202] * 3

    assert await work_off(at_work) == 3

    for each in made:
        of = each.body["id"]
        job = await ann.get(f"/jobs/{of}")
        variants = (await ann.get(f"/jobs/{of}/variants")).body["items"]
        assert (job.body["status"], len(variants)) == ("review", 2)
        for one in variants:
            assert one["title"].startswith(job.body["title"])
            chosen = await ann.post(f"/variants/{variants[0]['id']}/accept")
            assert chosen.status == 200
        taken = await ann.call("POST", f"/export/{variants[0]['id']}")
        assert zipfile.is_zipfile(io.BytesIO(taken.raw))
    assert len((await ann.get("/exports")).body["items"]) == 3


async def test_lists_can_be_narrowed(reviewed: Gateway, ann: Person) -> None:
    await ann.post("/jobs", {"title": "B", "preset": "lint"})

    def ids(answer: Any) -> list[str]:
        return [each["id"] for each in answer.body["items"]]

    assert ids(await ann.get("/jobs?status=review")) == ["J-1"]
    assert ids(await ann.get("/jobs?preset=lint&by=ann")) == ["J-2"]
    assert ids(await ann.get("/jobs?status=failed")) == []
    assert (await ann.get("/jobs?status=nope")).status == 400


async def test_what_belongs_to_jobs_wants_both_credentials(serve: Serve) -> None:
    """M-AUTH-04: texts and files are guarded as the jobs that they are of."""
    gateway = serve(jobs_auth="both")
    with_password(gateway, "eve")
    eve = gateway.person("eve")
    token = (await log_in(gateway, "eve")).body["access_token"]
    both = {"authorization": f"Bearer {token}", "x-api-key": eve.key}

    for method, path, known in (
        ("GET", "/jobs", 200),
        ("GET", "/exports", 200),
        ("GET", "/variants/V-1", 404),
        ("POST", "/export/V-1", 404),
        ("GET", "/exports/X-1", 404),
        ("GET", "/jobs/J-1/variants", 404),
    ):
        assert (await eve.call(method, path)).status == 401, path
        answer = await gateway.send(method, path, None, both)
        assert answer.status == known, path


@pytest.mark.parametrize("line", ["job list", "job create Notes", "export list"])
async def test_no_door_takes_one_credential_where_both_are_wanted(
    serve: Serve, line: str
) -> None:
    """M-AUTH-04: a line is a command too."""
    gateway = serve(jobs_auth="both")
    with_password(gateway, "eve")
    eve = gateway.person("eve")
    token = (await log_in(gateway, "eve")).body["access_token"]
    bearer, key = {"authorization": f"Bearer {token}"}, {"x-api-key": eve.key}
    body = orjson.dumps({"line": line})
    tasks = orjson.dumps({"line": "task list"})

    by_key = await gateway.send("POST", "/v1/commands", body, key)
    by_token = await gateway.send("POST", "/v1/commands", body, bearer)
    by_both = await gateway.send("POST", "/v1/commands", body, {**bearer, **key})
    other = await gateway.send("POST", "/v1/commands", tasks, key)

    assert (by_key.status, by_token.status) == (401, 401), by_key.body
    assert by_key.body["error"]["fix"] == [
        "send the header Authorization: Bearer <token> as well"
    ]
    assert by_token.body["error"]["fix"] == ["send the header X-API-Key: <key> as well"]
    assert by_both.status in (200, 202), by_both.body
    assert other.status == 200


async def test_the_file_of_an_export_wants_both_credentials(serve: Serve) -> None:
    """M-AUTH-04."""
    gateway = serve(jobs_auth="both")
    with_password(gateway, "eve")
    eve = gateway.person("eve")
    token = (await log_in(gateway, "eve")).body["access_token"]
    both = {"authorization": f"Bearer {token}", "x-api-key": eve.key}
    for subject in ("X-1", "R-1"):
        put = partial(
            artifacts.put, subject=subject, name="a", kind="file", content=b"a"
        )
        gateway.graph.db.run(put, by=system(DEFAULT_TENANT))

    assert (await eve.get("/v1/artifacts/A-1/content")).status == 401
    assert (await eve.get("/v1/artifacts/A-2/content")).status == 200
    answer = await gateway.send("GET", "/v1/artifacts/A-1/content", None, both)
    assert answer.raw == b"a"


async def test_a_link_can_be_looked_at_before_it_is_followed(
    accepted: Gateway,
) -> None:
    """M-JOB-07: HEAD, as chats and download tools send it."""
    made = await accepted.admin.post("/export/V-1", {}, **JSON)
    path = made.body["url"].removeprefix(accepted.settings.public_url)

    head = await accepted.send("HEAD", path, None, {})
    whole = await accepted.send("GET", path, None, {})

    assert (head.status, head.raw) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.raw))
    assert head.headers["content-disposition"] == whole.headers["content-disposition"]


async def test_a_format_that_there_is_not_is_a_fault_of_where_it_stands(
    accepted: Gateway,
) -> None:
    """Of the body 422, of the query 400, as everywhere."""
    in_body = await accepted.admin.post("/export/V-1", {"format": "exe"})
    in_query = await accepted.admin.post("/export/V-1?format=exe", {})

    assert (in_body.status, in_query.status) == (422, 400)


async def test_a_tool_that_a_preset_names_is_not_deleted(gateway: Gateway) -> None:
    await gateway.admin.post("/v1/tools", {"name": "search"})
    made = await gateway.admin.post(
        "/v1/presets", {"name": "weekly", "prompt": "x", "tools": ["search"]}
    )

    answer = await gateway.admin.say("tool delete search --confirm search")

    assert made.status == 201, made.body
    assert answer.error is not None
    assert (answer.error["status"], "weekly" in answer.error["detail"]) == (409, True)


async def test_viewers_look_and_change_nothing(reviewed: Gateway) -> None:
    vera = reviewed.person("vera", Role.VIEWER)

    assert (await vera.get("/jobs/J-1/variants")).status == 200
    for path in ("/jobs", "/variants/V-1/accept", "/export/V-1", "/jobs/J-1/cancel"):
        body = {"title": "x"} if path == "/jobs" else {}
        assert (await vera.post(path, body)).status == 403


async def fetched(gateway: Gateway, url: str) -> Any:
    """Follow a link, as somebody of whom nothing is known."""
    path = url.removeprefix(gateway.settings.public_url)
    assert path.startswith("/v1/downloads/")
    return await gateway.send("GET", path, None, {})


class Dead:
    """A provider that nobody reaches."""

    name = "mock"

    async def generate(self, _: Request) -> Generated:
        raise Unavailable("nobody answers")


async def test_a_dead_provider_fails_the_job_in_the_end(
    at_work: Gateway, ann: Person, clock: FakeClock
) -> None:
    """It is tried as often as runs are, then the job says why; nothing is left over."""
    asked = {"title": 'Say "A"', "preset": "lint", "input": {"rules": "a; b"}}
    await ann.post("/jobs", {**asked, "description": "two\nlines"})

    for _ in range(3):
        assert await work_off(at_work, providers={"mock": Dead()}) == 1
        clock.advance(timedelta(minutes=10))

    job = (await ann.get("/jobs/J-1")).body
    assert (job["status"], job["run_status"]) == ("failed", "failed")
    assert job["reason"] == "unavailable: nobody answers"
    assert await work_off(at_work) == 0
    assert (await ann.post("/jobs/J-1/cancel")).status == 409

    shown = (await ann.say("J-1")).body["blocks"][-1]["items"][0]
    again = await ann.say(shown["command"])
    assert (shown["label"], again.status) == ("Ask again", 202)
    names = ("title", "description", "preset", "input")
    assert [again.data[each] for each in names] == [job[each] for each in names]


async def test_an_acceptance_is_undone(reviewed: Gateway, ann: Person) -> None:
    talk = {"x_opswire_conversation": "c1"}
    await ann.say("accept V-1", **talk)

    undone = await ann.say("undo", **talk)

    assert (undone.status, undone.data["accepted_at"]) == (200, None)
    assert (await ann.get("/jobs/J-1")).body["status"] == "review"


async def test_a_flood_of_old_links_is_one_row(
    accepted: Gateway, ann: Person, clock: FakeClock
) -> None:
    """Whoever has an old link cannot fill the audit with it."""
    made = await ann.call("POST", "/export/V-1", {}, **JSON)
    clock.advance(timedelta(days=2))

    for _ in range(50):
        assert (await fetched(accepted, made.body["url"])).status == 410

    told = [each for each in accepted.audits() if each.action == "export download"]
    assert [each.count for each in told] == [1, 49]
