"""Commands over schedules: what runs by the clock, and what came of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.render import quote
from commands.schedule_create import create, set_
from commands.schedule_views import (
    ScheduleData,
    SchedulePageData,
    SchedulePreviewData,
    TickData,
    TickPageData,
    by_clock,
    fire_view,
    fires_block,
    one_of,
    require_able,
    tick_view,
    view_of,
)
from commands.schema import Doc, Ref
from commands.times import render_time
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from core.schedules import service as schedules
from core.schedules import ticks as noted
from core.schedules.model import Schedule, TickState
from core.schedules.timing import in_words

MOST_PREVIEWED = 366

ScheduleRef = Annotated[str, Ref("S")]


@command(
    "schedule list",
    scope="schedules:read",
    http="GET /schedule",
    result=SchedulePageData,
    examples=["schedule list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List schedules, the oldest first."""
    page = schedules.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No schedules", ("How to make one", "help schedule create"))
    shown = [view_of(ctx, each) for each in page.items]
    return Reply(
        summary=blocks.count(len(page.items), "schedule"),
        blocks=(
            blocks.table(
                ("id", "name", "runs", "when", "next", "status"),
                [
                    (
                        each.id,
                        each.name,
                        each.order.line,
                        view["when"],
                        _next(ctx, each),
                        each.status,
                    )
                    for each, view in zip(page.items, shown, strict=True)
                ],
                next=page.next,
            ),
        ),
        data={"items": [*shown], "next": page.next},
    )


@command(
    "schedule show",
    scope="schedules:read",
    http="GET /schedule/{schedule}",
    target="schedule",
    result=ScheduleData,
    examples=["S-4", "schedule show S-4"],
)
def show(ctx: Context, schedule: ScheduleRef) -> Reply:
    """Show what a schedule runs, when it does so next, and why it could not."""
    found = schedules.get_(ctx.tx, schedule)
    return one_of(ctx, found, f"{found.id}: {in_words(found.timing)}")


@command(
    "schedule preview",
    scope="schedules:read",
    http="GET /schedule/{schedule}/preview",
    target="schedule",
    result=SchedulePreviewData,
    examples=[
        "schedule preview S-4 --count 20",
        "schedule preview S-4 --from 2027-03-27T00:00Z",
    ],
)
def preview(
    ctx: Context,
    schedule: ScheduleRef,
    *,
    count: Annotated[int, Doc("How many; at most 366.")] = 5,
    from_: Annotated[
        datetime | None, Doc("Those from this moment on; now unless it is ahead.")
    ] = None,
) -> Reply:
    """List the moments at which a schedule fires next."""
    if not 1 <= count <= MOST_PREVIEWED:
        raise InvalidArgument(
            f"{count} is not from 1 to {MOST_PREVIEWED}",
            fix=["--count 20"],
            argument="count",
        )
    found = schedules.get_(ctx.tx, schedule)
    upcoming = schedules.next_fires(ctx.tx, found, count, since=from_)
    summary = f"{found.id}: {blocks.count(len(upcoming), 'moment')} to come"
    return Reply(
        summary=summary if upcoming else f"{found.id} is {found.status}",
        blocks=tuple(fires_block(ctx, found, upcoming)),
        data={
            "id": found.id,
            "when": in_words(found.timing),
            "tz": found.timing.zone,
            "items": [fire_view(found, each) for each in upcoming],
        },
    )


@command(
    "schedule ticks",
    scope="schedules:read",
    http="GET /schedule/{schedule}/ticks",
    target="schedule",
    result=TickPageData,
    examples=["schedule ticks S-4"],
)
def ticks(
    ctx: Context, schedule: ScheduleRef, *, limit: int = 25, cursor: str = ""
) -> Reply:
    """List the moments that have come and what became of them, the newest first."""
    found = schedules.get_(ctx.tx, schedule)
    page = noted.list_(ctx.tx, found, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            f"{found.id} has not been due yet", ("Next", f"schedule preview {found.id}")
        )
    zone = ctx.origin.timezone
    return Reply(
        summary=f"{blocks.count(len(page.items), 'moment')} of {found.id}",
        blocks=(
            blocks.table(
                ("at", "state", "started", "detail"),
                [
                    (by_clock(each.fire_at, zone), each.state, each.target, each.detail)
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={
            "items": [tick_view(found, each) for each in page.items],
            "next": page.next,
        },
    )


@command(
    "schedule pause",
    scope="schedules:write",
    danger="write",
    http="POST /schedule/{schedule}/pause",
    target="schedule",
    result=ScheduleData,
    examples=[
        'schedule pause S-4 --until "monday 9am"',
        'schedule pause S-4 --reason "too noisy"',
    ],
)
def pause(
    ctx: Context,
    schedule: ScheduleRef,
    *,
    until: Annotated[
        datetime | None, Doc("When it goes on by itself; never unless said.")
    ] = None,
) -> Reply:
    """Have a schedule fire no more, until a moment or until it is resumed."""
    reason = ctx.options.reason
    paused = schedules.pause(ctx.tx, schedule, until=until, reason=reason)
    return one_of(
        ctx,
        paused,
        f"{paused.id} is paused until {_ending(ctx, paused)}",
        undo=blocks.undo(ctx, f"schedule resume {paused.id}"),
    )


@command(
    "schedule resume",
    scope="schedules:write",
    danger="write",
    http="POST /schedule/{schedule}/resume",
    target="schedule",
    result=ScheduleData,
    examples=["schedule resume S-4"],
)
def resume(ctx: Context, schedule: ScheduleRef) -> Reply:
    """Have a paused schedule fire again; what passed meanwhile is passed over."""
    before = schedules.get_(ctx.tx, schedule)
    require_able(ctx, before)
    resumed = schedules.resume(ctx.tx, before.id)
    until = (
        f" --until {render_time(before.paused_until)}" if before.paused_until else ""
    )
    why = f" --reason {quote(before.reason)}" if before.reason else ""
    return one_of(
        ctx,
        resumed,
        f"{resumed.id} is active, next {_next(ctx, resumed)}",
        undo=None
        if before.is_active
        else blocks.undo(ctx, f"schedule pause {resumed.id}{until}{why}"),
    )


@command(
    "schedule run-now",
    scope="schedules:write",
    danger="write",
    is_personal=True,
    http="POST /schedule/{schedule}/run-now",
    target="schedule",
    result=TickData,
    examples=["schedule run-now S-4", "schedule run S-4"],
)
def run_now(ctx: Context, schedule: ScheduleRef) -> Reply:
    """Run what a schedule runs at once, in its owner's name; its moments stay."""
    found = schedules.get_(ctx.tx, schedule)
    require_able(ctx, found)
    tick = schedules.run_now(ctx.tx, found.id)
    waits = tick.state is TickState.QUEUED
    return Reply(
        summary=f"{found.id} {'waits for its turn' if waits else 'runs now'}",
        blocks=(blocks.actions(("Ticks", f"schedule ticks {found.id}")),),
        data=tick_view(found, tick),
    )


@command(
    "schedule delete",
    scope="schedules:write",
    danger="destructive",
    http="DELETE /schedule/{schedule}",
    target="schedule",
    result=ScheduleData,
    examples=["schedule delete S-4 --confirm S-4"],
)
def delete(ctx: Context, schedule: ScheduleRef) -> Reply:
    """Remove a schedule; what it started goes on."""
    shown = view_of(ctx, schedules.get_(ctx.tx, schedule))
    deleted = schedules.delete(ctx.tx, schedule)
    named = f" ({deleted.name})" if deleted.name else ""
    return Reply(summary=f"Deleted {deleted.id}{named}", data=shown)


def _next(ctx: Context, schedule: Schedule) -> str:
    if schedule.next_at is None:
        return ""
    return by_clock(schedule.next_at, ctx.origin.timezone)


def _ending(ctx: Context, schedule: Schedule) -> str:
    """Write when a pause ends, for everybody the same: absolute."""
    if schedule.paused_until is None:
        return "it is resumed"
    return by_clock(schedule.paused_until, ctx.origin.timezone)


COMMANDS: Sequence[Command] = (
    create,
    list_,
    show,
    set_,
    preview,
    ticks,
    pause,
    resume,
    run_now,
    delete,
)
