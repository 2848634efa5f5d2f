"""Schedules as they are made, fire, are missed, paused, changed and deleted."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from core.database import Database, Tx, open_engine
from core.delivery import received
from core.delivery.received import Received
from core.events import service as events
from core.events.model import Event
from core.identity.users import service as users
from core.identity.users.model import to_principal
from core.kernel.principal import Assurance, Principal, Role, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    Forbidden,
    IllegalMove,
    InvalidArgument,
    MissingScope,
    NotFound,
)
from core.runs import service as runs
from core.runs.calls import complete
from core.runs.claims import claim_one
from core.runs.model import NewRun, RetryRule, RunError, RunStatus
from core.runs.reports import Outcome, Wanted
from core.schedules import fires, store, ticks
from core.schedules import service as schedules
from core.schedules.model import (
    CatchUp,
    Order,
    Overlap,
    Rules,
    Schedule,
    ScheduleStatus,
    Tick,
    TickState,
)
from core.schedules.timing import Timing, parse_timing, preview
from gateway.recording import recorded
from tests.conftest import FakeClock

ORDER = Order(line="version", command="version")
ONCE = RetryRule(max_attempts=1)
LATER = Order(line="task list", command="task list")
CLOCK = system(name="scheduler")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ALLOW = Rules(overlap=Overlap.ALLOW)
NONE = Rules(overlap=Overlap.ALLOW, catch_up=CatchUp.NONE)
ALL = Rules(overlap=Overlap.ALLOW, catch_up=CatchUp.ALL)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
# The days around each change of the clocks in 2026, by the hour in UTC.
CHANGES = {
    "new-york-spring": datetime(2026, 3, 8, 4, tzinfo=UTC),
    "berlin-spring": datetime(2026, 3, 28, 22, tzinfo=UTC),
    "berlin-autumn": datetime(2026, 10, 24, 22, tzinfo=UTC),
    "new-york-autumn": datetime(2026, 11, 1, 3, tzinfo=UTC),
}
LINES = ("30 2 * * *", "0 * * * *", "*/15 * * * *", "0,45 1-3 * * *", "15 1 * * *")


@pytest.fixture
def ann(db: Database) -> Principal:
    return a_user(db, "ann")


@pytest.fixture
def another(db: Database, clock: FakeClock) -> Iterator[Database]:
    """The same database once more, as another gateway has it open."""
    url = db.engine.url.render_as_string(hide_password=False)
    opened = recorded(open_engine(url), clock=clock)
    yield opened
    opened.close()


def a_user(db: Database, name: str, role: Role = Role.OPERATOR) -> Principal:
    db.run(users.ensure_admin, by=system())
    user = db.run(lambda tx: users.create(tx, name, roles=[role]), by=system())
    return to_principal(user, Assurance.SECRET)


def every(length: timedelta, now: datetime) -> Timing:
    return parse_timing(zone="UTC", now=now, cron="", at=None, every=length)


def a_schedule(
    db: Database,
    by: Principal,
    timing: Timing,
    *,
    rules: Rules | None = None,
    name: str = "",
) -> Schedule:
    return db.run(
        lambda tx: schedules.create(tx, ORDER, timing, rules=rules, name=name), by=by
    )


def look(db: Database) -> int:
    return db.run(fires.set_off_due, by=CLOCK)


def found(db: Database, schedule: Schedule) -> Schedule:
    return db.look(lambda tx: schedules.get_(tx, schedule.id), by=CLOCK)


def ticks_of(db: Database, schedule: Schedule) -> Sequence[Tick]:
    """List its moments, the oldest first."""
    page = db.look(lambda tx: ticks.list_(tx, schedule, limit=100), by=CLOCK)
    return list(reversed(page.items))


def states(db: Database, schedule: Schedule) -> list[str]:
    return [each.state.value for each in ticks_of(db, schedule)]


def waiting(db: Database) -> Sequence[Received]:
    return db.look(
        lambda tx: received.list_waiting(tx, limit=1_000, is_free_only=False), by=CLOCK
    )


def told(db: Database, *types: str) -> Sequence[Event]:
    page = db.look(lambda tx: events.list_after(tx, 0, limit=1_000), by=CLOCK)
    return [each for each in page if each.type in types]


def a_run(db: Database) -> str:
    return db.run(lambda tx: runs.create(tx, NewRun(kind="x", retry=ONCE)), by=CLOCK).id


def end(db: Database, run_id: str, *, fails: bool = False) -> None:
    """Have a worker take a run and end it, and the schedule hear of that."""

    def work(tx: Tx) -> None:
        held = claim_one(tx, run_id, Wanted(worker="w1"))
        assert held is not None
        outcome = Outcome(status="succeeded")
        if fails:
            error = RunError(code="boom", detail="it broke")
            outcome = Outcome(status="failed", error=error)
        complete(tx, run_id, fence=held.fence, outcome=outcome)

    db.run(work, by=CLOCK)
    db.run(lambda tx: ticks.run_ended(tx, run_id), by=CLOCK)


def run_all(
    db: Database, *, state: TickState = TickState.DONE, target: str = ""
) -> None:
    """Do what the intake does with each moment that waits: run it, and note it."""

    def note(tx: Tx, request_id: str) -> None:
        tick = ticks.find(tx, request_id)
        if tick is not None and tick.state is TickState.WAITING:
            ticks.note(tx, tick, state, target=target, detail="said")

    for each in waiting(db):
        db.run(partial(note, request_id=each.request_id), by=CLOCK)


# ── each moment once ──────────────────────────────────────────────────────────
def test_a_moment_is_one_tick_and_one_request(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """M-JOB-06: the tick, the row in the inbox and the event are one unit."""
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))

    assert look(db) == 0
    clock.advance(15 * MINUTE)
    look(db)
    look(db)

    (tick,), (row,) = ticks_of(db, made), waiting(db)
    assert (tick.fire_at, tick.state) == (clock.now(), TickState.WAITING)
    assert (row.request_id, row.key.account) == (tick.request_id, made.id)
    assert row.key.sender == ann.id
    (fired,) = told(db, "schedule_fired")
    assert (fired.target, fired.actor) == (made.id, "scheduler")
    after = found(db, made)
    assert (after.last_at, after.next_at) == (clock.now(), clock.now() + 15 * MINUTE)


@pytest.mark.parametrize("change", CHANGES)
async def test_two_schedulers_fire_what_the_preview_said_when_the_clocks_change(
    db: Database, another: Database, ann: Principal, clock: FakeClock, change: str
) -> None:
    """R-27, M-JOB-06: one request for each moment, in both zones, spring and autumn."""
    begin = clock.moment = CHANGES[change]
    made = [
        a_schedule(db, ann, Timing(zone=zone, cron=line), rules=NONE)
        for zone in (BERLIN, NEW_YORK)
        for line in LINES
    ]
    end_ = begin + 10 * HOUR
    wanted = {
        each.id: [m for m in preview(each.timing, begin, 50) if m <= end_]
        for each in made
    }

    while clock.moment < end_:
        clock.advance(15 * MINUTE)
        await asyncio.gather(
            *(each.write(fires.set_off_due, by=CLOCK) for each in (db, another))
        )

    for each in made:
        fired = ticks_of(db, each)
        assert [tick.fire_at for tick in fired] == wanted[each.id]
        assert {tick.state for tick in fired} <= {TickState.WAITING}
    keys = [(row.key.account, row.key.key) for row in waiting(db)]
    assert len(keys) == len(set(keys)) == sum(map(len, wanted.values()))


def test_a_moment_once_is_over_after_it(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    timing = Timing(zone="UTC", at=clock.now() + HOUR)
    made = a_schedule(db, ann, timing)
    clock.advance(HOUR)

    look(db)

    assert found(db, made).status is ScheduleStatus.ENDED
    assert len(ticks_of(db, made)) == 1
    with pytest.raises(IllegalMove):
        db.run(lambda tx: schedules.resume(tx, made.id), by=ann)
    with pytest.raises(IllegalMove):
        db.run(lambda tx: schedules.pause(tx, made.id), by=ann)


# ── nobody looked, or the clock was set ───────────────────────────────────────
@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (NONE, ["missed", "missed", "missed"]),
        (ALLOW, ["missed", "missed", "waiting"]),
        (ALL, ["waiting", "waiting", "waiting"]),
    ],
)
def test_what_passed_unseen_is_made_up_for_as_asked(
    db: Database, ann: Principal, clock: FakeClock, rules: Rules, wanted: Sequence[str]
) -> None:
    """R-27: down over three moments; what did not fire is told, with the reason."""
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=rules)
    clock.advance(50 * MINUTE)

    look(db)
    look(db)

    assert states(db, made) == wanted
    missed = told(db, "schedule_missed")
    assert sum(int(str(each.details["count"])) for each in missed) == wanted.count(
        "missed"
    )
    assert all("no scheduler looked" in str(each.details["reason"]) for each in missed)
    assert found(db, made).next_at == clock.now() + 10 * MINUTE


def test_a_long_absence_is_made_up_for_within_bounds(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    often = every(timedelta(seconds=10), clock.now())
    made = [a_schedule(db, ann, often, rules=ALL) for _ in range(6)]
    clock.advance(365 * DAY)

    rounds = [look(db), look(db), look(db)]

    assert rounds == [2, 2, 2]  # Nobody else waits for all of them to be written.
    assert len(waiting(db)) == 600
    assert look(db) == 0
    for each in made:
        assert found(db, each).next_at == clock.now() + timedelta(seconds=10)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY])
def test_a_clock_that_jumps_fires_nothing_twice(
    db: Database, ann: Principal, clock: FakeClock, jump: timedelta
) -> None:
    """R-27, R-46: set ahead or back and right again, in the middle of the day."""
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=ALL)
    for step in (15 * MINUTE, 5 * MINUTE, jump, 15 * MINUTE, -jump):
        clock.advance(step)
        look(db)
    for _ in range(8):
        clock.advance(15 * MINUTE)
        look(db)

    moments = [each.fire_at for each in ticks_of(db, made)]
    requests = [row.key.key for row in waiting(db)]
    assert len(moments) == len(set(moments)) == len(set(requests)) == len(requests)


# ── what still goes on ────────────────────────────────────────────────────────
def an_overlap(
    db: Database, ann: Principal, clock: FakeClock, overlap: Overlap
) -> tuple[Schedule, str]:
    """Make a schedule whose first moment has started a run that goes on."""
    rules = Rules(overlap=overlap)
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=rules)
    clock.advance(15 * MINUTE)
    look(db)
    run = a_run(db)
    run_all(db, target=run)
    assert states(db, made) == ["started"]
    return made, run


def test_what_overlaps_is_skipped_and_told(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.SKIP)
    clock.advance(15 * MINUTE)
    look(db)
    end(db, run)
    clock.advance(15 * MINUTE)
    look(db)

    assert states(db, made) == ["done", "missed", "waiting"]
    (missed,) = told(db, "schedule_missed")
    assert missed.details["reason"] == f"{run} still goes on"


def test_one_waits_for_its_turn_and_no_more(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.QUEUE)
    for _ in range(2):
        clock.advance(15 * MINUTE)
        look(db)
    assert states(db, made) == ["started", "queued", "missed"]
    assert len(told(db, "schedule_fired")) == 1

    end(db, run)

    assert states(db, made) == ["done", "waiting", "missed"]
    assert len(told(db, "schedule_fired")) == 2


def test_the_old_one_is_cancelled(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.CANCEL_OLD)
    clock.advance(15 * MINUTE)

    look(db)

    assert states(db, made) == ["skipped", "waiting"]
    stopped = db.look(lambda tx: runs.get_(tx, run), by=CLOCK)
    assert stopped.status is RunStatus.CANCELLED
    assert stopped.reason == f"{made.id} fired again"


def test_both_may_go_on(db: Database, ann: Principal, clock: FakeClock) -> None:
    made, _ = an_overlap(db, ann, clock, Overlap.ALLOW)
    clock.advance(15 * MINUTE)

    look(db)

    assert states(db, made) == ["started", "waiting"]


def test_what_waits_to_be_run_is_not_over(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))
    for _ in range(2):
        clock.advance(15 * MINUTE)
        look(db)

    assert states(db, made) == ["waiting", "missed"]


def test_the_end_of_a_run_is_noticed_though_nobody_told(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """The event is a hint alone: who looks for overlaps asks the run itself."""
    made, run = an_overlap(db, ann, clock, Overlap.SKIP)
    db.run(lambda tx: complete_at_once(tx, run), by=CLOCK)
    clock.advance(15 * MINUTE)

    look(db)

    assert states(db, made) == ["done", "waiting"]


def complete_at_once(tx: Tx, run: str) -> None:
    held = claim_one(tx, run, Wanted(worker="w1"))
    assert held is not None
    complete(tx, run, fence=held.fence, outcome=Outcome(status="succeeded"))


def test_an_event_that_somebody_made_up_ends_nothing(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.SKIP)

    db.run(lambda tx: ticks.run_ended(tx, run), by=ann)
    db.run(lambda tx: ticks.run_ended(tx, "R-99"), by=ann)

    assert states(db, made) == ["started"]


# ── failures ──────────────────────────────────────────────────────────────────
def test_three_failures_in_a_row_pause_it(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))
    for state in ("failed", "done", "failed", "failed"):
        clock.advance(15 * MINUTE)
        look(db)
        run_all(db, state=TickState(state))
    assert found(db, made).failures == 2

    clock.advance(15 * MINUTE)
    look(db)
    run = a_run(db)
    run_all(db, target=run)
    end(db, run, fails=True)

    paused = found(db, made)
    assert (paused.status, paused.next_at) == (ScheduleStatus.PAUSED, None)
    assert paused.reason.startswith("3 failures in a row, the last one: R-1 failed: it")
    (event,) = told(db, "schedule_paused")
    assert event.details["failures"] == 3
    clock.advance(DAY)
    assert look(db) == 0
    resumed = db.run(lambda tx: schedules.resume(tx, made.id), by=ann)
    assert (resumed.failures, resumed.reason) == (0, "")


def test_one_whose_zone_is_gone_stops_no_other(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    timing = Timing(zone=BERLIN, cron="*/15 * * * *")
    made = [a_schedule(db, ann, timing) for _ in range(2)]
    gone = replace(made[0], timing=replace(timing, zone="Europe/Bielefeld"))
    db.run(lambda tx: store.put(tx, gone), by=CLOCK)
    clock.advance(15 * MINUTE)

    look(db)

    broken, other = (found(db, each) for each in made)
    assert broken.status is ScheduleStatus.PAUSED
    assert "Bielefeld" in broken.reason
    assert states(db, other) == ["waiting"]


# ── pausing ───────────────────────────────────────────────────────────────────
def test_nothing_is_due_while_it_is_paused(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))
    db.run(lambda tx: schedules.pause(tx, made.id, reason="noisy"), by=ann)
    clock.advance(DAY)
    assert look(db) == 0

    db.run(lambda tx: schedules.resume(tx, made.id), by=ann)
    look(db)

    assert not ticks_of(db, made)
    assert found(db, made).next_at == clock.now() + 15 * MINUTE


def test_a_pause_ends_by_itself(db: Database, ann: Principal, clock: FakeClock) -> None:
    """The moment at which it ends counts; what passed before is nothing missed."""
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))
    until = clock.now() + HOUR
    paused = db.run(lambda tx: schedules.pause(tx, made.id, until=until), by=ann)
    assert paused.next_at == until
    clock.advance(59 * MINUTE)
    assert look(db) == 0

    clock.advance(MINUTE)
    look(db)

    assert [each.fire_at for each in ticks_of(db, made)] == [until]
    assert found(db, made).is_active
    assert len(told(db, "schedule_resumed")) == 1
    assert not told(db, "schedule_missed")


def test_a_pause_that_ended_unseen_is_made_up_for(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=ALL)
    until = clock.now() + HOUR
    db.run(lambda tx: schedules.pause(tx, made.id, until=until), by=ann)
    clock.advance(95 * MINUTE)

    look(db)

    assert [each.fire_at - until for each in ticks_of(db, made)] == [
        minutes * MINUTE for minutes in (0, 15, 30)
    ]


def test_a_pause_ends_in_the_future(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))

    with pytest.raises(InvalidArgument):
        db.run(lambda tx: schedules.pause(tx, made.id, until=tx.now), by=ann)


def test_what_waits_for_its_turn_is_given_up_with_a_pause(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.QUEUE)
    clock.advance(15 * MINUTE)
    look(db)
    db.run(lambda tx: schedules.pause(tx, made.id), by=ann)

    end(db, run)

    assert states(db, made) == ["done", "skipped"]


# ── changing ──────────────────────────────────────────────────────────────────
def change(
    db: Database, by: Principal, made: Schedule, timing: Timing, order: Order = ORDER
) -> Schedule:
    return db.run(
        lambda tx: schedules.redefine(
            tx, made.id, name="", order=order, timing=timing, rules=made.rules
        ),
        by=by,
    )


def test_what_is_due_while_it_is_changed_fires_first(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    """R-27: edited while due: its moment fires once, then the new ones count."""
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=ALLOW)
    clock.advance(15 * MINUTE)
    cron = Timing(zone="UTC", cron="15 * * * *")

    changed = change(db, ann, made, cron)
    look(db)

    assert [each.fire_at for each in ticks_of(db, made)] == [clock.now()]
    assert changed.next_at == clock.now() + HOUR


def test_a_moment_that_both_timings_mean_fires_once(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()), rules=ALLOW)
    clock.advance(15 * MINUTE)
    look(db)
    clock.advance(-MINUTE)
    change(db, ann, made, Timing(zone="UTC", cron="15 * * * *"))
    clock.advance(MINUTE)

    look(db)

    assert len(ticks_of(db, made)) == 1


def test_a_new_line_runs_in_the_name_of_who_changed_it(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    bob = a_user(db, "bob")
    made = a_schedule(db, ann, every(HOUR, clock.now()))

    timed = change(db, bob, made, every(2 * HOUR, clock.now()))
    assert timed.owner_id == ann.id

    changed = change(db, bob, made, made.timing, LATER)
    assert (changed.owner_id, changed.created_by) == (bob.id, ann.id)


def test_one_that_has_ended_can_be_given_another_moment(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, Timing(zone="UTC", at=clock.now() + HOUR))
    clock.advance(HOUR)
    look(db)

    again = change(db, ann, made, Timing(zone="UTC", at=clock.now() + HOUR))

    assert again.is_active


# ── at once ───────────────────────────────────────────────────────────────────
def test_it_can_be_run_at_once_and_keeps_its_moments(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(15 * MINUTE, clock.now()))
    db.run(lambda tx: schedules.pause(tx, made.id), by=ann)

    tick = db.run(lambda tx: schedules.run_now(tx, made.id), by=ann)

    assert (tick.fire_at, tick.asked_by) == (clock.now(), "ann")
    with pytest.raises(AlreadyExists):
        db.run(lambda tx: schedules.run_now(tx, made.id), by=ann)


def test_at_once_heeds_what_goes_on(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, run = an_overlap(db, ann, clock, Overlap.SKIP)
    clock.advance(MINUTE)

    with pytest.raises(Conflict) as refused:
        db.run(lambda tx: schedules.run_now(tx, made.id), by=ann)

    assert f"cancel {run}" in refused.value.fix


def test_at_once_waits_for_its_turn(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made, _ = an_overlap(db, ann, clock, Overlap.QUEUE)
    clock.advance(MINUTE)

    tick = db.run(lambda tx: schedules.run_now(tx, made.id), by=ann)

    assert tick.state is TickState.QUEUED
    clock.advance(MINUTE)
    with pytest.raises(Conflict):
        db.run(lambda tx: schedules.run_now(tx, made.id), by=ann)


# ── who, and what is refused ──────────────────────────────────────────────────
def test_it_runs_with_what_its_owner_may_still_do(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(HOUR, clock.now()))
    db.run(lambda tx: users.set_roles(tx, ann.id, ["viewer"]), by=system())

    now = db.look(lambda tx: schedules.owner_of(tx, found_in(tx, made)), by=CLOCK)
    assert not now.may("tasks:write")

    db.run(lambda tx: users.disable(tx, ann.id), by=system())
    with pytest.raises(Forbidden):
        db.look(lambda tx: schedules.owner_of(tx, found_in(tx, made)), by=CLOCK)


def found_in(tx: Tx, schedule: Schedule) -> Schedule:
    return schedules.get_(tx, schedule.id)


def test_names_are_their_own(db: Database, ann: Principal, clock: FakeClock) -> None:
    made = a_schedule(db, ann, every(HOUR, clock.now()), name="nightly")
    a_schedule(db, ann, every(HOUR, clock.now()))
    a_schedule(db, ann, every(HOUR, clock.now()))

    assert db.look(lambda tx: schedules.get_(tx, "nightly"), by=ann) == made
    with pytest.raises(AlreadyExists):
        a_schedule(db, ann, every(HOUR, clock.now()), name="nightly")
    with pytest.raises(NotFound):
        db.look(lambda tx: schedules.get_(tx, ""), by=ann)


def test_who_may_cancel_nothing_has_no_old_ones_cancelled(
    db: Database, clock: FakeClock
) -> None:
    eve = a_user(db, "eve", Role.VIEWER)

    with pytest.raises(MissingScope):
        a_schedule(
            db, eve, every(HOUR, clock.now()), rules=Rules(overlap=Overlap.CANCEL_OLD)
        )


def test_lists_go_on_where_they_ended(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = [a_schedule(db, ann, every(HOUR, clock.now())).id for _ in range(3)]

    first = db.look(lambda tx: schedules.list_(tx, limit=2), by=ann)
    cursor = str(first.next)
    rest = db.look(lambda tx: schedules.list_(tx, limit=2, cursor=cursor), by=ann)

    assert [each.id for each in (*first.items, *rest.items)] == made


def test_moments_go_on_where_they_ended(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(HOUR, clock.now()), rules=ALL)
    clock.advance(3 * HOUR)
    look(db)

    first = db.look(lambda tx: ticks.list_(tx, made, limit=2), by=ann)
    cursor = str(first.next)
    rest = db.look(lambda tx: ticks.list_(tx, made, limit=2, cursor=cursor), by=ann)

    assert [*first.items, *rest.items] == list(reversed(ticks_of(db, made)))
    assert rest.next is None


def test_it_is_deleted_and_its_moments_stay(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(HOUR, clock.now()))
    clock.advance(HOUR)
    look(db)

    db.run(lambda tx: schedules.delete(tx, made.id), by=ann)

    assert len(ticks_of(db, made)) == 1
    with pytest.raises(NotFound):
        found(db, made)
    run_all(db)
    assert states(db, made) == ["done"]


def test_old_moments_are_forgotten(
    db: Database, ann: Principal, clock: FakeClock
) -> None:
    made = a_schedule(db, ann, every(DAY, clock.now()), rules=ALLOW)
    for _ in range(3):
        clock.advance(DAY)
        look(db)

    old = db.look(lambda tx: ticks.find_expired(tx, 36 * HOUR), by=CLOCK)
    db.run(lambda tx: ticks.forget(tx, old), by=CLOCK)

    assert len(ticks_of(db, made)) == 2
