"""Schedules through the doors: asked for, confirmed, fired, noted, and told of."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.kernel.principal import Role, system
from gateway.flags import Flags
from gateway.purge import Purge
from tests.api.channels import Writer, delivered
from tests.api.gateway import Gateway
from tests.api.schedules import Scheduling

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
QUARTERLY: Mapping[str, Any] = {"every": "15m"}
NOTE = "task note T-1 hello"


@pytest.fixture
async def world(gateway: Gateway) -> AsyncIterator[Scheduling]:
    """A gateway with a task to write notes on, and a clock that stands still."""
    world = Scheduling(gateway)
    await world.start()
    await world.admin.say("task create one")
    yield world
    await world.stop()


# ── the worked examples ───────────────────────────────────────────────────────
async def test_the_next_five_are_told_in_the_zone_of_whoever_asks(
    world: Scheduling,
) -> None:
    """M-JOB-06, example 17: by the person's clocks and by the schedule's own."""
    ann = world.gateway.person("ann")
    await world.admin.say("user set ann --timezone America/New_York")

    made = await ann.say(
        'schedule add "task create nightly" --cron "0 7 * * 1-5" --tz Europe/Berlin'
    )

    assert made.data["id"] == "S-1"
    assert made.data["when"] == "at 07:00 on Monday through Friday (Europe/Berlin)"
    assert [each["local"] for each in made.data["next"]] == [
        f"2026-11-{day:02}T07:00:00+01:00" for day in (5, 6, 9, 10, 11)
    ]
    (table,) = (each for each in made.body["blocks"] if each["t"] == "table")
    assert table["columns"] == ["next", "in Europe/Berlin"]
    assert table["rows"][0] == ["Thu 2026-11-05 01:00 EST", "Thu 2026-11-05 07:00 CET"]


async def test_a_pause_says_when_it_ends_and_can_be_undone(world: Scheduling) -> None:
    """M-JOB-06, example 18: the time is echoed absolute, with an Undo."""
    await world.schedule(NOTE, **QUARTERLY)

    paused = await world.admin.say('schedule pause S-1 --until "monday 9am"')

    assert paused.body["summary"] == "S-1 is paused until Mon 2026-11-09 09:00 UTC"
    assert paused.data["paused_until"] == "2026-11-09T09:00:00.000000Z"
    assert paused.body["undo"]["command"] == "schedule resume S-1"
    resumed = await world.admin.say(f"undo {paused.body['id']}")
    assert resumed.data["status"] == "active"
    assert resumed.body["undo"]["command"] == (
        "schedule pause S-1 --until 2026-11-09T09:00:00Z"
    )


async def test_what_was_made_can_be_taken_back(world: Scheduling) -> None:
    made = await world.admin.say(f'schedule create "{NOTE}" --every 1h')

    await world.admin.say(f"undo {made.body['id']}")

    assert (await world.admin.get("/schedule/S-1")).status == 404


# ── fired ─────────────────────────────────────────────────────────────────────
async def test_two_schedulers_run_each_moment_once(world: Scheduling) -> None:
    """M-JOB-06, R-27: what was fired is what `preview` had said."""
    schedule = await world.schedule(NOTE, cron="*/15 * * * *", tz="Europe/Berlin")
    path = f"/schedule/{schedule}/preview?count=4"
    wanted = [each["at"] for each in (await world.admin.get(path)).body["items"]]

    for _ in range(12):
        await world.pass_by(5 * MINUTE)

    assert [each["at"] for each in reversed(await world.ticks(schedule))] == wanted
    assert await world.states(schedule) == ["done"] * 4
    assert await world.notes() == ["hello"] * 4


async def test_each_tenant_has_its_own(world: Scheduling) -> None:
    boss = world.gateway.person("boss", Role.ADMIN, tenant="acme")
    await world.schedule("task create theirs", by=boss, **QUARTERLY)

    await world.pass_by(15 * MINUTE)

    (tick,) = (await boss.get("/schedule/S-1/ticks")).body["items"]
    assert tick["state"] == "done"
    assert (await world.admin.get("/schedule/S-1")).status == 404
    assert await world.tasks() == ["one"]


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 50, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 24, 23, 50, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 8, 5, 50, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 11, 1, 4, 50, tzinfo=UTC)),
    ],
)
async def test_one_run_per_moment_when_the_clocks_change(
    world: Scheduling, zone: str, begin: datetime
) -> None:
    """M-JOB-06, R-27: two schedulers, each moment one run, as the preview had said."""
    world.gateway.clock.moment = begin
    made = [
        await world.schedule("job create x", cron=line, tz=zone, overlap="allow")
        for line in ("30 2 * * *", "30 1 * * *", "0 * * * *")
    ]
    wanted = {
        each: [one["at"] for one in (await world.shown(each))["next"]] for each in made
    }

    for _ in range(11):
        await world.pass_by(20 * MINUTE)

    last = world.gateway.clock.moment.isoformat()[:19]
    for each in made:
        fired = [one["at"] for one in reversed(await world.ticks(each))]
        assert fired == [moment for moment in wanted[each] if moment[:19] <= last]
        assert set(await world.states(each)) <= {"started"}
    started = [tick["target"] for each in made for tick in await world.ticks(each)]
    runs = (await world.admin.get("/v1/runs?limit=100")).body["items"]
    assert sorted(started) == sorted(each["job"] for each in runs)
    assert len(set(started)) == len(started) > 3


async def test_a_relative_time_counts_from_each_moment(world: Scheduling) -> None:
    schedule = await world.schedule('task list --since "2h"', **QUARTERLY)
    again = await world.schedule("task list --since 2026-11-01", **QUARTERLY)

    assert (await world.shown(schedule))["arguments"] == {"since": "2h"}
    assert (await world.shown(again))["arguments"] == {"since": "2026-11-01T00:00:00Z"}


async def test_what_a_line_refers_to_is_settled_when_it_is_made(
    world: Scheduling,
) -> None:
    schedule = await world.schedule("task set T-1 --assignee me", **QUARTERLY)

    assert (await world.shown(schedule))["arguments"]["assignee"] == "admin"


async def test_it_can_be_run_at_once(world: Scheduling) -> None:
    schedule = await world.schedule(NOTE, **QUARTERLY)
    await world.admin.say(f"schedule pause {schedule}")

    asked = await world.admin.post(f"/schedule/{schedule}/run-now", {})
    await world.settle()

    assert asked.body["state"] == "waiting"
    assert await world.states(schedule) == ["done"]
    assert await world.notes() == ["hello"]


async def test_nothing_fires_while_the_clock_is_switched_off(world: Scheduling) -> None:
    """The flag stops all schedulers; what passes meanwhile is made up for as asked."""
    schedule = await world.schedule(NOTE, **QUARTERLY)
    off = Flags(schedulerEnabled=False)
    world.flags.write_text(off.model_dump_json(by_alias=True))
    await world.pass_by(20 * MINUTE)
    assert await world.states(schedule) == []

    world.flags.write_text(Flags().model_dump_json(by_alias=True))
    await world.pass_by(MINUTE)

    assert await world.states(schedule) == ["done"]


# ── consent and rights ────────────────────────────────────────────────────────
async def test_a_risky_line_is_confirmed_once(world: Scheduling) -> None:
    """Whoever makes it consents; its moments run without asking again."""
    line = "lease reclaim L-9"
    asked = await world.admin.say(f'schedule create "{line}" --every 15m')
    assert asked.status == 409
    assert asked.body["data"]["danger"] == "risky"

    await world.admin.say(f"confirm {asked.data['token']}")
    await world.pass_by(15 * MINUTE)

    (tick,) = await world.ticks("S-1")
    assert (tick["state"], tick["detail"]) == ("failed", "L-9 does not exist")


async def test_a_line_that_would_fail_now_is_pointed_at(world: Scheduling) -> None:
    """It may work by its moment; nothing of the rehearsal stays."""
    before = world.newest
    bad = await world.admin.say('schedule create "task note T-9 hello" --every 1h')
    good = await world.admin.say('schedule create "task note T-1 hello" --every 1h')

    assert bad.body["blocks"][0]["md"] == "Run now, it would fail: T-9 does not exist"
    assert good.body["blocks"][0]["t"] == "fields"
    assert world.newest == before + 2
    assert await world.notes() == []


async def test_a_calm_line_needs_no_confirmation(world: Scheduling) -> None:
    answer = await world.admin.say(f'schedule create "{NOTE}" --every 15m')

    assert answer.status == 200


async def test_a_riskier_line_is_confirmed_when_it_is_set(world: Scheduling) -> None:
    await world.schedule(NOTE, **QUARTERLY)

    calm = await world.admin.say("schedule set S-1 --every 1h")
    risky = await world.admin.say('schedule set S-1 --line "lease reclaim L-9"')

    assert (calm.status, risky.status) == (200, 409)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("trigger delete G-1", "not_runnable"),
        ("confirm abc", "not_runnable"),
        ("webhook create x --command version", "not_runnable"),
        ("schedule create 'task list' --every 1h", "not_runnable"),
        ("key create robot", "not_runnable"),
        ("task create x --dry-run", "invalid_argument"),
        ("lease reclaim L-1 --yes", "invalid_argument"),
        ("task show #3", "invalid_argument"),
        ("tusk list", "unknown_command"),
        ("task list --colour red", "unknown_flag"),
        ("task show", "invalid_argument"),
        ("", "invalid_argument"),
        ("task list\ntask list", "invalid_argument"),
    ],
)
async def test_what_no_schedule_may_run_is_refused(
    world: Scheduling, line: str, code: str
) -> None:
    answer = await world.asked(line, **QUARTERLY)

    assert answer.status in (400, 422), answer
    assert answer.body["code"] == code


async def test_a_secret_is_not_kept(world: Scheduling) -> None:
    token = "xoxb-0123456789-invented"  # pragma: allowlist secret

    answer = await world.asked(f"workspace add acme {token}", **QUARTERLY)

    assert answer.status in (400, 422)
    assert token not in answer.raw.decode()


async def test_nobody_schedules_what_they_may_not_do(world: Scheduling) -> None:
    ann = world.gateway.person("ann")
    eve = world.gateway.person("eve", Role.VIEWER)

    asked = await world.asked("user create bob", by=ann, **QUARTERLY)
    refused = await world.asked(NOTE, by=eve, **QUARTERLY)

    assert (asked.status, asked.body["code"]) == (403, "missing_scope")
    assert refused.status == 403


@pytest.mark.parametrize(
    "body",
    [
        {"cron": "* * * *"},
        {"cron": "0 7 * * *", "every": "1h"},
        {},
        {"every": "1s"},
        {"at": "2020-01-01T00:00Z"},
        {"cron": "0 7 * * *", "tz": "Europe/Bielefeld"},
        {"every": "1h", "name": "S-1"},
        {"every": "1h", "overlap": "pile-up"},
    ],
)
async def test_what_is_no_time_is_refused(
    world: Scheduling, body: Mapping[str, Any]
) -> None:
    answer = await world.asked(NOTE, **body)

    assert answer.status in (400, 422), answer


async def test_a_moment_that_the_clocks_never_show_is_refused(
    world: Scheduling,
) -> None:
    """The lines that would do are named; what is shown twice is the first of the two."""
    zone = "Europe/Berlin"

    refused = await world.asked(NOTE, at="2027-03-28T02:30", tz=zone)
    first = await world.schedule(NOTE, at="2027-10-31T02:30", tz=zone)

    assert refused.body["code"] == "invalid_argument"
    assert refused.body["fix"] == [
        "--at 2027-03-28T01:59+01:00",
        "--at 2027-03-28T03:00+02:00",
    ]
    assert (await world.shown(first))["when"] == (
        "once, at 2027-10-31T02:30:00+02:00 (Europe/Berlin)"
    )


@pytest.mark.parametrize(
    ("cron", "since", "moments"),
    [
        ("30 2 * * *", "2027-03-27T00:00+01:00", ["03-27T01:30", "03-28T01:00"]),
        ("30 2 * * *", "2027-10-30T00:00+02:00", ["10-30T00:30", "10-31T00:30"]),
        ("0 3 * * *", "2027-03-27T00:00+01:00", ["03-27T02:00", "03-28T01:00"]),
        ("0 3 * * *", "2027-10-30T00:00+02:00", ["10-30T01:00", "10-31T02:00"]),
    ],
)
async def test_the_days_when_clocks_change_can_be_looked_at(
    world: Scheduling, cron: str, since: str, moments: list[str]
) -> None:
    """The table of docs/how-to/run-on-a-schedule.md."""
    schedule = await world.schedule(NOTE, cron=cron, tz="Europe/Berlin")

    shown = await world.admin.say(
        f"schedule preview {schedule} --from {since} --count 2"
    )

    assert [each["at"][5:16] for each in shown.data["items"]] == moments


@pytest.mark.parametrize(
    ("day", "hours"), [("2027-03-28T00:00+01:00", 23), ("2027-10-31T00:00+02:00", 25)]
)
async def test_a_day_has_the_hours_that_it_has(
    world: Scheduling, day: str, hours: int
) -> None:
    """The table of docs/how-to/run-on-a-schedule.md, its last line."""
    schedule = await world.schedule(NOTE, cron="0 * * * *", tz="Europe/Berlin")

    shown = await world.admin.say(
        f"schedule preview {schedule} --from {day} --count 366"
    )

    items = shown.data["items"]
    assert len(items) == 366
    assert sum(each["local"][:10] == day[:10] for each in items) == hours


async def test_a_moment_by_the_clocks_of_its_zone(world: Scheduling) -> None:
    schedule = await world.schedule(
        NOTE, at="2026-12-01 09:00", tz="Europe/Berlin", name="once"
    )

    shown = await world.shown("once")
    wanted = "2026-12-01T08:00:00.000000Z"
    assert (shown["id"], shown["active"]) == (schedule, True)
    assert (shown["at"], shown["next_run"]) == (wanted, wanted)


async def test_it_runs_with_what_the_owner_may_do_by_then(world: Scheduling) -> None:
    """Asked again at each moment: who lost the right has nothing run in their name."""
    ann = world.gateway.person("ann")
    schedule = await world.schedule(NOTE, by=ann, **QUARTERLY)
    await world.pass_by(15 * MINUTE)
    await world.admin.say("user set ann --roles viewer")
    await world.pass_by(15 * MINUTE)
    await world.admin.say("user disable ann")
    await world.pass_by(15 * MINUTE)

    assert await world.states(schedule) == ["done", "failed", "failed"]
    assert await world.notes() == ["hello"]
    denied = [
        each
        for each in world.gateway.audits()
        if each.channel == "schedule" and each.verdict == "denied"
    ]
    assert [each.actor for each in denied] == ["ann", "ann"]
    assert "ann" in (await world.shown(schedule))["obstacle"]


async def test_nobody_has_run_what_they_could_not_run_themselves(
    world: Scheduling,
) -> None:
    """Another's schedule runs in its owner's name: who may not do that may pause it."""
    ann = world.gateway.person("ann")
    await world.schedule("user create bob", every="1h")

    refused = [
        await ann.say("schedule run-now S-1"),
        await ann.say("schedule set S-1 --every 15m"),
        await ann.say("schedule resume S-1"),
    ]

    assert [each.status for each in refused] == [403] * 3
    assert (await ann.say("schedule pause S-1")).status == 200


# ── between the moment and its run ────────────────────────────────────────────
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("schedule pause S-1", "S-1 was paused before this could run"),
        ("schedule delete S-1 --confirm S-1", ""),
    ],
)
async def test_what_was_stopped_meanwhile_does_not_run(
    world: Scheduling, line: str, why: str
) -> None:
    schedule = await world.schedule(NOTE, **QUARTERLY)
    world.gateway.clock.advance(15 * MINUTE)
    await world.gateway.graph.intake.stop()
    await world.schedulers[0].tick()
    await world.admin.say(line)
    world.gateway.graph.intake.start()
    await world.settle()

    assert await world.notes() == []
    if why:
        (tick,) = await world.ticks(schedule)
        assert (tick["state"], tick["detail"]) == ("skipped", why)


# ── failures, runs, and who is told ───────────────────────────────────────────
async def test_three_failures_pause_it_and_its_owner_is_told(
    world: Scheduling,
) -> None:
    ann = world.gateway.person("ann")
    Writer(world.gateway, "slack", "U0ANN").link_to("ann")
    schedule = await world.schedule("task show T-9", by=ann, name="looks", **QUARTERLY)

    for _ in range(4):
        await world.pass_by(15 * MINUTE)

    assert await world.states(schedule) == ["failed"] * 3
    shown = await world.shown(schedule)
    assert shown["status"] == "paused"
    assert shown["reason"] == ("3 failures in a row, the last one: T-9 does not exist")
    (told,) = delivered(world.gateway, {"user": "U0ANN"})
    assert told["summary"] == f"S-1 (looks) is paused: {shown['reason']}"


async def test_paused_by_hand_nobody_is_told(world: Scheduling) -> None:
    Writer(world.gateway, "slack", "U0ADM").link_to("admin")
    await world.schedule(NOTE, **QUARTERLY)

    await world.admin.say("schedule pause S-1")
    await world.settle()

    assert delivered(world.gateway, {"user": "U0ADM"}) == []


async def test_who_has_it_paused_by_somebody_else_is_told(world: Scheduling) -> None:
    ann = world.gateway.person("ann")
    Writer(world.gateway, "slack", "U0ANN").link_to("ann")
    await world.schedule(NOTE, by=ann, **QUARTERLY)

    await world.admin.say("schedule pause S-1")
    await world.settle()

    (told,) = delivered(world.gateway, {"user": "U0ANN"})
    assert told["summary"] == "S-1 is paused: by admin"


async def test_a_job_goes_on_until_its_run_has_ended(world: Scheduling) -> None:
    """M-JOB-06: what it started is on the moment, and the next one heeds it."""
    schedule = await world.schedule("job create nightly", **QUARTERLY)
    await world.pass_by(15 * MINUTE)
    (tick,) = await world.ticks(schedule)
    assert (tick["state"], tick["target"]) == ("started", "J-1")

    await world.pass_by(15 * MINUTE)
    world.end("R-1")
    await world.settle()
    await world.pass_by(15 * MINUTE)

    assert await world.states(schedule) == ["done", "missed", "started"]


async def test_what_is_old_is_forgotten(world: Scheduling) -> None:
    schedule = await world.schedule(NOTE, **QUARTERLY)
    await world.pass_by(15 * MINUTE)
    world.gateway.clock.advance(400 * DAY)
    graph = world.gateway.graph

    async def tenants() -> list[object]:
        return [system().tenant]

    await Purge(graph.db, graph.settings.keep, tenants=tenants).run()  # type: ignore[arg-type]

    assert await world.ticks(schedule) == []


# ── ends of runs, as any other event ──────────────────────────────────────────
async def test_a_run_that_fails_sets_a_trigger_off(world: Scheduling) -> None:
    """M-OMN-11: the ends of runs are events, and triggers react to these."""
    await world.make(
        "tell",
        on=["run_failed"],
        filter="details.code == 'boom'",
        command="task note",
        fixed={"task": "T-1"},
        templates={"text": "{target} failed: {details.detail}"},
    )
    good, bad = world.a_run(), world.a_run()

    world.end(good)
    world.end(bad, fails=True)
    await world.settle()

    assert await world.notes() == [f"{bad} failed: it broke"]


async def test_a_subscriber_is_sent_the_ends_of_runs(world: Scheduling) -> None:
    """M-OMN-11: and so are webhooks that go out."""
    body = {
        "name": "ends",
        "url": "https://hooks.example.com/ends",
        "events": ["run_succeeded", "run_failed"],
    }
    assert (await world.admin.post("/v1/subscriptions", body)).status == 201
    run = world.a_run()

    world.end(run)
    await world.settle()

    answer = await world.admin.get("/v1/subscriptions/SB-1/deliveries")
    (sent,) = answer.body["items"]
    assert sent["what"].startswith("run_succeeded")
