"""What is due: every moment of every schedule once, as its rules for gaps say.

Any number of processes may look. A moment is noted under its schedule in the unit that
puts it into the inbox, and the writers of a tenant are serial, so it happens once; the
primary key of the ticks and the key in the inbox say the same again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.database import Tx
from core.events import service as events
from core.kernel.problems import AlreadyExists, Conflict, InvalidArgument
from core.schedules import store, ticks
from core.schedules.model import (
    MOST_CAUGHT_UP,
    Overlap,
    Schedule,
    ScheduleStatus,
    Tick,
    TickState,
    caught_up,
)
from core.schedules.timing import newest, next_after, next_from

MOST_PER_ROUND = 50
_MOST_DRAFTS = 400
_UNSEEN = "it passed while no scheduler looked"


def has_due(tx: Tx) -> bool:
    """Tell whether a moment has come, or a pause is over."""
    return bool(store.list_due(tx, most=1))


def set_off_due(tx: Tx) -> int:
    """Set off what is due, at most 50 schedules in one go; tell how many there were.

    Shape:  after some hundreds of moments the rest is left for the next go, for others
            want to write as well. One whose time cannot be told any more, such as in a
            zone that is gone, is paused, and keeps no other one from its turn.
    """
    done = 0
    for each in store.list_due(tx, most=MOST_PER_ROUND):
        try:
            set_off(tx, each)
        except InvalidArgument as problem:
            ticks.pause_itself(tx, each, reason=problem.detail)
        done += 1
        if len(tx.drafts) > _MOST_DRAFTS:
            break
    return done


def set_off(tx: Tx, schedule: Schedule) -> Schedule:
    """Fire, or miss, every moment of a schedule that has come, and set the next one.

    Shape:  moments that are made up for are fired together: what overlap asks is
            whether something of before goes on. A moment never has a second turn,
            wherever the clock was in between.
    """
    awake = _woken(tx, schedule)
    if awake.next_at is None or awake.next_at > tx.now or not awake.is_active:
        return awake
    due = _due(tx, awake, awake.next_at)
    to_fire, missed = caught_up(due, tx.now, awake.rules.catch_up)
    ticks.miss(tx, awake, missed, reason=_UNSEEN)
    fired = _fire(tx, awake, to_fire)
    upcoming = next_after(awake.timing, tx.now)
    now = store.find(tx, awake.id) or awake  # What has ended may have paused it.
    moved = replace(
        now,
        status=now.status if upcoming else ScheduleStatus.ENDED,
        next_at=upcoming if now.is_active else None,
        last_at=fired[-1] if fired else awake.last_at,
    )
    store.put(tx, moved)
    return moved


def run_now(tx: Tx, schedule: Schedule) -> Tick:
    """Fire a schedule at once, whether it is paused or not, as overlap allows.

    Raises: Conflict when something of before goes on and it skips what overlaps,
            AlreadyExists when it fired at this very moment.
    """
    if ticks.is_known(tx, schedule, tx.now):
        raise AlreadyExists(
            f"{schedule.id} fired at this very moment",
            fix=[f"schedule ticks {schedule.id}"],
        )
    who = tx.principal.name
    open_ = ticks.list_open(tx, schedule)
    match schedule.rules.overlap if open_ else Overlap.ALLOW:
        case Overlap.SKIP:
            raise Conflict(
                f"{_named(open_)} still goes on, and {schedule.id} skips what overlaps",
                fix=_ways(schedule, open_),
            )
        case Overlap.QUEUE:
            return _queue_now(tx, schedule, open_)
        case Overlap.CANCEL_OLD:
            _supersede(tx, schedule, open_)
    return ticks.fire(tx, schedule, tx.now, asked_by=who)


def _woken(tx: Tx, schedule: Schedule) -> Schedule:
    """End a pause that is over; what passed after its end is due like any other."""
    until = schedule.paused_until
    if schedule.is_active or until is None or until > tx.now:
        return schedule
    upcoming = next_from(schedule.timing, until)
    awake = replace(
        schedule,
        status=ScheduleStatus.ACTIVE if upcoming else ScheduleStatus.ENDED,
        reason="",
        paused_until=None,
        next_at=upcoming,
        failures=0,
    )
    store.put(tx, awake)
    events.append(tx, "schedule_resumed", target=schedule.id, name=schedule.name)
    return awake


def _due(tx: Tx, schedule: Schedule, since: datetime) -> Sequence[datetime]:
    """List the newest moments that have come and had no turn; older ones are gone."""
    most = 2 * MOST_CAUGHT_UP
    found = newest(schedule.timing, since=since, until=tx.now, most=most)
    return [each for each in found if not ticks.is_known(tx, schedule, each)]


def _fire(
    tx: Tx, schedule: Schedule, moments: Sequence[datetime]
) -> Sequence[datetime]:
    """Fire moments, unless what overlaps them forbids it; tell which ones."""
    open_ = ticks.list_open(tx, schedule) if moments else ()
    match schedule.rules.overlap if open_ else Overlap.ALLOW:
        case Overlap.SKIP:
            ticks.miss(tx, schedule, moments, reason=f"{_named(open_)} still goes on")
            return ()
        case Overlap.QUEUE:
            _queue(tx, schedule, moments, open_)
            return ()
        case Overlap.CANCEL_OLD:
            _supersede(tx, schedule, open_)
    for each in moments:
        ticks.fire(tx, schedule, each)
    return moments


def _queue(
    tx: Tx, schedule: Schedule, moments: Sequence[datetime], open_: Sequence[Tick]
) -> None:
    """Have one moment wait, if none does; the others are missed."""
    has_one = any(each.state is TickState.QUEUED for each in open_)
    kept = () if has_one else moments[:1]
    rest = moments[len(kept) :]
    ticks.miss(tx, schedule, rest, reason="another one waits for its turn already")
    for each in kept:
        ticks.queue(tx, schedule, each, detail=f"waits for {_named(open_)}")


def _queue_now(tx: Tx, schedule: Schedule, open_: Sequence[Tick]) -> Tick:
    if any(each.state is TickState.QUEUED for each in open_):
        raise Conflict(
            f"one of {schedule.id} waits for its turn already",
            fix=_ways(schedule, open_),
        )
    return ticks.queue(tx, schedule, tx.now, detail=f"waits for {_named(open_)}")


def _supersede(tx: Tx, schedule: Schedule, open_: Sequence[Tick]) -> None:
    for each in open_:
        ticks.supersede(tx, each, reason=f"{schedule.id} fired again")


def _named(open_: Sequence[Tick]) -> str:
    """Name what goes on: the run or job, else the moment itself."""
    return next((each.target for each in open_ if each.target), "what it started last")


def _ways(schedule: Schedule, open_: Sequence[Tick]) -> Sequence[str]:
    runs = [f"cancel {each.target}" for each in open_ if each.target]
    return [*runs[:1], f"schedule set {schedule.id} --overlap allow"]
