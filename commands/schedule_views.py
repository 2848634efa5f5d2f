"""The shapes of what schedule commands answer, and how they are filled in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from typing_extensions import TypedDict

from commands import blocks, bus
from commands.context import Context
from commands.times import zone_of
from core.database import Tx
from core.identity.users import store as users
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import Problem
from core.kernel.reply import SUMMARY_LIMIT, Block, Code, Reply, Undo
from core.schedules import service as schedules
from core.schedules.model import Schedule, ScheduleStatus, Tick
from core.schedules.timing import in_words

NEXT_SHOWN = 5


class FireData(TypedDict):
    """A moment to come: in UTC, and by the clocks of the schedule's zone."""

    at: str
    local: str


class ScheduleData(TypedDict):
    """A schedule; `obstacle` says why it could not run now, "" when it could.

    `when` says in words when it is due, and one of `cron`, `at` and `every_seconds`
    exactly. `next_run` is its next moment, and `next` are five of them.
    """

    id: str
    name: str
    line: str
    command: str
    arguments: dict[str, Any]
    when: str
    cron: str
    at: str | None
    every_seconds: int
    tz: str
    catch_up: str
    overlap: str
    status: str
    reason: str
    paused_until: str | None
    active: bool
    next_run: str | None
    next: list[FireData]
    last_at: str | None
    failures: int
    runs_as: str
    created_by: str
    created_at: str
    obstacle: str


class SchedulePageData(TypedDict):
    """A page of schedules, the oldest first."""

    items: list[ScheduleData]
    next: str | None


class SchedulePreviewData(TypedDict):
    """When a schedule fires next."""

    id: str
    when: str
    tz: str
    items: list[FireData]


class TickData(TypedDict):
    """A moment of a schedule that has come.

    `state` is queued, waiting, started, done, failed, skipped or missed; `target` the id
    of what it started; `request_id` is what asked for that.
    """

    schedule: str
    at: str
    local: str
    state: str
    target: str
    request_id: str
    detail: str


class TickPageData(TypedDict):
    """A page of moments, the newest first."""

    items: list[TickData]
    next: str | None


def view_of(ctx: Context, schedule: Schedule) -> dict[str, Any]:
    """Show a schedule."""
    timing, order = schedule.timing, schedule.order
    is_once = not (timing.cron or timing.every)
    upcoming = schedules.next_fires(ctx.tx, schedule, NEXT_SHOWN)
    return {
        "id": schedule.id,
        "name": schedule.name,
        "line": order.line,
        "command": order.command,
        "arguments": dict(order.arguments),
        "when": in_words(timing),
        "cron": timing.cron,
        "at": _iso(timing.at if is_once else None),
        "every_seconds": timing.every // timedelta(seconds=1),
        "tz": timing.zone,
        "catch_up": schedule.rules.catch_up.value,
        "overlap": schedule.rules.overlap.value,
        "status": schedule.status.value,
        "reason": schedule.reason,
        "paused_until": _iso(schedule.paused_until),
        "active": schedule.is_active,
        "next_run": _iso(upcoming[0] if upcoming else None),
        "next": [fire_view(schedule, each) for each in upcoming],
        "last_at": _iso(schedule.last_at),
        "failures": schedule.failures,
        "runs_as": _name_of(ctx.tx, schedule.owner_id),
        "created_by": _name_of(ctx.tx, schedule.created_by),
        "created_at": to_iso(schedule.created_at),
        "obstacle": obstacle_of(ctx, schedule),
    }


def one_of(
    ctx: Context, schedule: Schedule, summary: str, *, undo: Undo | None = None
) -> Reply:
    """Show one schedule, with its next moments and what can be done about it."""
    view = view_of(ctx, schedule)
    upcoming = schedules.next_fires(ctx.tx, schedule, NEXT_SHOWN)
    switch = "pause" if schedule.is_active else "resume"
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        blocks=(
            blocks.fields(
                ("name", schedule.name),
                ("when", view["when"]),
                ("runs as", view["runs_as"]),
                ("status", schedule.status),
                ("missed ones", f"catch up {schedule.rules.catch_up}"),
                ("overlap", schedule.rules.overlap),
                ("cannot run", view["obstacle"]),
            ),
            Code(text=schedule.order.line, lang="text"),
            *fires_block(ctx, schedule, upcoming),
            blocks.actions(
                ("Ticks", f"schedule ticks {schedule.id}"),
                ("Run now", f"schedule run-now {schedule.id}"),
                (switch.capitalize(), f"schedule {switch} {schedule.id}"),
            ),
        ),
        data=view,
        undo=undo,
    )


def fires_block(
    ctx: Context, schedule: Schedule, moments: Sequence[datetime]
) -> Sequence[Block]:
    """Show moments to come in the person's zone, and by the schedule's own clocks."""
    if not moments:
        return ()
    own, theirs = schedule.timing.zone, ctx.origin.timezone
    zones = [theirs] if own == theirs else [theirs, own]
    columns = ["next", *(f"in {each}" for each in zones[1:])]
    rows = [[by_clock(each, zone) for zone in zones] for each in moments]
    return (blocks.table(columns, rows),)


def obstacle_of(ctx: Context, schedule: Schedule) -> str:
    """Say why a schedule could not run at its next moment; "" when it could."""
    if schedule.status is ScheduleStatus.ENDED:
        return "it has ended: no moment is to come"
    if schedule.status is ScheduleStatus.PAUSED:
        return f"it is paused: {schedule.reason or 'no reason was given'}"
    command = ctx.registry.find(schedule.order.command)
    if command is None:
        return f"there is no command {schedule.order.command} any more"
    try:
        bus.authorise(command, schedules.owner_of(ctx.tx, schedule))
    except Problem as problem:
        return problem.detail
    return ""


def require_able(ctx: Context, schedule: Schedule) -> None:
    """Refuse to have a schedule run what the caller may not run themself.

    Raises: MissingScope, AssuranceTooLow.
    """
    if command := ctx.registry.find(schedule.order.command):
        bus.authorise(command, ctx.principal)


def fire_view(schedule: Schedule, moment: datetime) -> dict[str, Json]:
    """Show a moment to come."""
    return {"at": to_iso(moment), "local": _local(moment, schedule.timing.zone)}


def tick_view(schedule: Schedule, tick: Tick) -> dict[str, Json]:
    """Show a moment that has come."""
    return {
        "schedule": schedule.id,
        **fire_view(schedule, tick.fire_at),
        "state": tick.state.value,
        "target": tick.target,
        "request_id": tick.request_id,
        "detail": tick.detail,
    }


def by_clock(moment: datetime, zone: str) -> str:
    """Write a moment as the clocks of a zone show it: `Mon 2026-11-23 07:00 CET`."""
    local = moment.astimezone(zone_of(zone))
    clock = "%H:%M" if not local.second else "%H:%M:%S"
    return local.strftime(f"%a %Y-%m-%d {clock} %Z")


def _local(moment: datetime, zone: str) -> str:
    return moment.astimezone(zone_of(zone)).isoformat(timespec="seconds")


def _iso(moment: datetime | None) -> str | None:
    return to_iso(moment) if moment else None


def _name_of(tx: Tx, user_id: str) -> str:
    user = users.find(tx, user_id)
    return user.name if user else user_id
