"""The moments of a schedule: each one fires once, and what came of it is noted on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.database import Tx
from core.delivery.model import InboxDraft, InboxKey, InboxState
from core.events import service as events
from core.kernel.clock import to_iso, to_micros
from core.kernel.jsons import canonical_json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.schedules import started, store
from core.schedules import tick_store as ticks
from core.schedules.model import (
    ASKED,
    CHANNEL,
    MOST_FAILURES,
    Schedule,
    ScheduleStatus,
    Tick,
    TickState,
)

_BATCH = 200
_NEWEST = 2**62
_DETAIL_LIMIT = 200
_MOST_AWAITED = 200


def fire(tx: Tx, schedule: Schedule, moment: datetime, *, asked_by: str = "") -> Tick:
    """Put a moment into the inbox, in this unit; `asked_by` is who wanted it now."""
    detail = f"{ASKED}{asked_by}" if asked_by else ""
    tick = Tick(
        schedule_id=schedule.id,
        fire_at=moment,
        state=TickState.WAITING,
        request_id=tx.new_token("rq"),
        detail=detail,
    )
    ticks.add(tx, tick)
    _store(tx, schedule, tick)
    return tick


def queue(tx: Tx, schedule: Schedule, moment: datetime, *, detail: str) -> Tick:
    """Have a moment wait for the one before it."""
    tick = Tick(
        schedule_id=schedule.id,
        fire_at=moment,
        state=TickState.QUEUED,
        detail=detail[:_DETAIL_LIMIT],
    )
    ticks.add(tx, tick)
    return tick


def miss(
    tx: Tx, schedule: Schedule, moments: Sequence[datetime], *, reason: str
) -> None:
    """Note moments that do not fire, and tell of them in one event."""
    if not moments:
        return
    for each in moments:
        tick = Tick(
            schedule_id=schedule.id,
            fire_at=each,
            state=TickState.MISSED,
            detail=reason[:_DETAIL_LIMIT],
        )
        ticks.add(tx, tick)
    events.append(
        tx,
        "schedule_missed",
        target=schedule.id,
        name=schedule.name,
        reason=reason,
        count=len(moments),
        first=to_iso(moments[0]),
        last=to_iso(moments[-1]),
    )


def note(tx: Tx, tick: Tick, state: TickState, *, target: str, detail: str) -> None:
    """Note what running a moment led to; a run of it may still go on."""
    if state is TickState.DONE:
        state, said = started.end_of(tx, target)
        detail = said or detail
    _end(tx, replace(tick, state=state, target=target, detail=detail))


def settle(tx: Tx, tick: Tick) -> None:
    """Note the end of what a moment started, if that has ended."""
    if tick.state is not TickState.STARTED:
        return
    state, said = started.end_of(tx, tick.target)
    if state is not TickState.STARTED:
        _end(tx, replace(tick, state=state, detail=said or tick.detail))


def run_ended(tx: Tx, run_id: str) -> None:
    """Note the end of a run on the moments that started it, or its job."""
    for target in started.targets_of(tx, run_id):
        for tick in ticks.list_that_started(tx, target):
            settle(tx, tick)


def awaited_runs(tx: Tx) -> frozenset[str] | None:
    """Name the runs whose end some moment waits for; None when there are too many."""
    found = ticks.list_going_on(tx, most=_MOST_AWAITED + 1)
    if len(found) > _MOST_AWAITED:
        return None
    behind = (started.runs_behind(tx, each.target) for each in found)
    return frozenset(run for several in behind for run in several)


def list_open(tx: Tx, schedule: Schedule) -> Sequence[Tick]:
    """List the moments that go on or wait; what has ended by now is noted first."""
    for each in ticks.list_open(tx, schedule.id):
        settle(tx, each)
    return ticks.list_open(tx, schedule.id)


def supersede(tx: Tx, tick: Tick, *, reason: str) -> None:
    """End what a moment has started, or keep it from being started at all."""
    if tick.state is TickState.STARTED:
        started.cancel(tx, tick.target, reason=reason)
    ticks.put(tx, replace(tick, state=TickState.SKIPPED, detail=reason[:_DETAIL_LIMIT]))


def give_up(tx: Tx, schedule: Schedule, *, reason: str) -> None:
    """Keep what waits for the moment before it from being started at all."""
    for each in ticks.list_open(tx, schedule.id):
        if each.state is TickState.QUEUED:
            supersede(tx, each, reason=reason)


def release(tx: Tx, schedule_id: str) -> None:
    """Put the moment that waits for the one before into the inbox, once that is over."""
    open_ = ticks.list_open(tx, schedule_id)
    queued = [each for each in open_ if each.state is TickState.QUEUED]
    schedule = store.find(tx, schedule_id)
    if not queued or len(queued) < len(open_) or schedule is None:
        return
    if schedule.status is ScheduleStatus.PAUSED:
        give_up(tx, schedule, reason=f"{schedule.id} was paused before this could run")
        return
    waiting = replace(queued[0], state=TickState.WAITING, request_id=tx.new_token("rq"))
    ticks.put(tx, waiting)
    _store(tx, schedule, waiting)


def find(tx: Tx, request_id: str) -> Tick | None:
    """Find the moment that a request is; None for any other request."""
    return ticks.find_by_request(tx, request_id)


def is_known(tx: Tx, schedule: Schedule, moment: datetime) -> bool:
    """Tell whether a moment has had its turn, however it went."""
    return ticks.find(tx, schedule.id, moment) is not None


def list_(
    tx: Tx, schedule: Schedule, *, limit: int = PAGE_LIMIT, cursor: str = ""
) -> Page[Tick]:
    """List what became of a schedule's moments, the newest first.

    Raises: InvalidQuery.
    """
    before = parse_cursor(cursor) if cursor else _NEWEST
    found = ticks.list_before(tx, schedule.id, before, most=page_size(limit) + 1)
    last = to_micros(found[limit - 1].fire_at) if len(found) > limit else None
    return Page(found[:limit], render_cursor(last) if last else None)


def find_expired(tx: Tx, kept: timedelta) -> Sequence[Tick]:
    """Find a batch of moments that have been kept long enough, the oldest first."""
    return ticks.list_older(tx, tx.now - kept, most=_BATCH)


def forget(tx: Tx, expired: Sequence[Tick]) -> None:
    """Delete what was found."""
    ticks.forget(tx, expired)


def _store(tx: Tx, schedule: Schedule, tick: Tick) -> None:
    """Put a moment into the inbox, where it is as unique as on its schedule."""
    micros = to_micros(tick.fire_at)
    tx.record(
        InboxDraft(
            key=InboxKey(
                tx.tenant, CHANNEL, schedule.id, schedule.owner_id, str(micros)
            ),
            conversation="",
            reply_id=f"rp_{tick.request_id.removeprefix('rq_')}",
            request_id=tick.request_id,
            request_hash="",
            reply="",
            state=InboxState.RECEIVED,
            payload=canonical_json({"schedule": schedule.id, "at": micros}).decode(),
        )
    )
    events.append(
        tx,
        "schedule_fired",
        target=schedule.id,
        name=schedule.name,
        at=to_iso(tick.fire_at),
        request_id=tick.request_id,
        command=schedule.order.command,
    )


def _end(tx: Tx, tick: Tick) -> None:
    """Keep what became of a moment, count failures, and let the next one go."""
    ticks.put(tx, replace(tick, detail=tick.detail[:_DETAIL_LIMIT]))
    if tick.state is TickState.STARTED:
        return
    schedule = store.find(tx, tick.schedule_id)
    if schedule is not None and tick.state in (TickState.DONE, TickState.FAILED):
        _count(tx, schedule, tick)
    release(tx, tick.schedule_id)


def _count(tx: Tx, schedule: Schedule, tick: Tick) -> None:
    """Count failures in a row; at the third the schedule pauses itself."""
    failures = schedule.failures + 1 if tick.state is TickState.FAILED else 0
    if failures == schedule.failures:
        return
    counted = replace(schedule, failures=failures)
    if failures < MOST_FAILURES or not schedule.is_active:
        store.put(tx, counted)
        return
    reason = f"{failures} failures in a row, the last one: {tick.detail}"
    pause_itself(tx, counted, reason=reason)


def pause_itself(tx: Tx, schedule: Schedule, *, reason: str) -> None:
    """Pause a schedule that cannot go on as it is, until somebody resumes it."""
    paused = replace(
        schedule,
        status=ScheduleStatus.PAUSED,
        reason=reason,
        paused_until=None,
        next_at=None,
    )
    store.put(tx, paused)
    events.append(
        tx,
        "schedule_paused",
        target=schedule.id,
        name=schedule.name,
        command=schedule.order.command,
        reason=reason,
        failures=schedule.failures,
    )
