"""The commands that make a schedule and change one, with what they refuse."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import command
from commands.schedule_lines import order_of, why_it_fails
from commands.schedule_views import ScheduleData, by_clock, one_of, require_able
from commands.schema import Doc, Ref
from commands.times import parse_time
from core.database import Tx
from core.kernel.jsons import canonical_json
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply, Text
from core.schedules import service as schedules
from core.schedules.model import CatchUp, Order, Overlap, Rules, Schedule
from core.schedules.timing import Timing, parse_timing

_Line = Annotated[str, Doc("What runs: a whole command, in quotes.")]
_Cron = Annotated[str, Doc("Five fields: minute, hour, day, month, weekday.")]
_Zone = Annotated[str, Doc("Whose clocks count; yours unless said otherwise.")]
_At = Annotated[str, Doc("Once, at this moment, which the clocks of --tz show.")]
_Every = Annotated[timedelta | None, Doc("Again and again, from now; at least 10s.")]
_Name = Annotated[str, Doc("a-z, 0-9 and -.")]


def _standing(tx: Tx, reference: str) -> str:
    """What consent to a change is bound to: what the schedule is now."""
    found = schedules.get_(tx, reference)
    said = [found.order.line, found.timing.cron, found.timing.zone, found.owner_id]
    return canonical_json(
        [*said, str(found.timing.at), str(found.timing.every)]
    ).decode()


@command(
    "schedule create",
    scope="schedules:write",
    danger="write",
    keeps_line="line",
    is_personal=True,
    http="POST /schedule",
    status=201,
    result=ScheduleData,
    examples=[
        (
            'schedule add "job create nightly --preset lint" '
            '--cron "0 7 * * 1-5" --tz Europe/Berlin'
        ),
        'schedule create "task list --status review" --every 1h --name reviews',
        'schedule create "run start deploy env=prod" --at "monday 9am"',
    ],
)
def create(
    ctx: Context,
    line: _Line,
    *,
    cron: _Cron = "",
    tz: _Zone = "",
    at: _At = "",
    every: _Every = None,
    name: _Name = "",
    catch_up: Annotated[
        CatchUp, Doc("Which moments are made up for that passed while nothing ran.")
    ] = CatchUp.ONE,
    overlap: Annotated[
        Overlap, Doc("What to do while what it started last still goes on.")
    ] = Overlap.SKIP,
) -> Reply:
    """Have a command run by the clock, in your name."""
    zone = tz or ctx.origin.timezone
    timing = parse_timing(
        zone=zone,
        now=ctx.tx.now,
        cron=cron,
        at=_moment(ctx, at, zone),
        every=every,
    )
    made = schedules.create(
        ctx.tx,
        order_of(ctx, line),
        timing,
        name=name,
        rules=Rules(catch_up=catch_up, overlap=overlap),
    )
    reply = one_of(
        ctx,
        made,
        f"Created {made.id}, {_first(ctx, made)}: {made.order.line}",
        undo=blocks.undo(ctx, f"schedule delete {made.id} --confirm {made.id}"),
    )
    return _doubted(ctx, made.order, reply)


@command(
    "schedule set",
    scope="schedules:write",
    danger="write",
    keeps_line="line",
    is_personal=True,
    target="schedule",
    fingerprint=_standing,
    http="PATCH /schedule/{schedule}",
    result=ScheduleData,
    examples=['schedule set S-4 --cron "30 6 * * 1-5"', "schedule set S-4 --every 2h"],
)
def set_(
    ctx: Context,
    schedule: Annotated[str, Ref("S")],
    *,
    line: _Line = "",
    cron: _Cron = "",
    tz: _Zone = "",
    at: _At = "",
    every: _Every = None,
    name: Annotated[str | None, Doc("a-z, 0-9 and -; none to take it away.")] = None,
    catch_up: CatchUp | None = None,
    overlap: Overlap | None = None,
) -> Reply:
    """Change what is given of a schedule; a new line runs in your name from then on."""
    if not ctx.given - {"schedule"}:
        raise InvalidArgument(
            "nothing says what is to change",
            fix=['--cron "30 6 * * 1-5"', "--overlap queue"],
        )
    found = schedules.get_(ctx.tx, schedule)
    require_able(ctx, found)
    rules = Rules(
        catch_up=catch_up or found.rules.catch_up,
        overlap=overlap or found.rules.overlap,
    )
    changed = schedules.redefine(
        ctx.tx,
        found.id,
        name=found.name if name is None else name,
        order=order_of(ctx, line) if line else found.order,
        timing=_timing(ctx, found.timing, cron=cron, tz=tz, at=at, every=every),
        rules=rules,
    )
    reply = one_of(ctx, changed, f"Changed {changed.id}, {_first(ctx, changed)}")
    return _doubted(ctx, changed.order, reply) if line else reply


def _timing(
    ctx: Context, now: Timing, *, cron: str, tz: str, at: str, every: timedelta | None
) -> Timing:
    """Say when it is due from now on: as before, unless something else is said.

    Raises: InvalidArgument.
    """
    zone = tz or now.zone
    is_new = bool(cron or at) or every is not None
    if not is_new and not now.cron:
        return replace(now, zone=zone)
    return parse_timing(
        zone=zone,
        now=ctx.tx.now,
        cron=cron if is_new else now.cron,
        at=_moment(ctx, at, zone),
        every=every,
    )


def _moment(ctx: Context, text: str, zone: str) -> datetime | None:
    """Read a moment by the clocks of the schedule's zone, which have to show it."""
    if not text:
        return None
    return parse_time(text, now=ctx.tx.now, timezone=zone, is_shown=True)


def _doubted(ctx: Context, order: Order, reply: Reply) -> Reply:
    """Point out that a line would fail as things stand; it may work by its moment."""
    why = why_it_fails(ctx, order)
    if not why:
        return reply
    doubt = Text(md=f"Run now, it would fail: {why}")
    return replace(reply, blocks=(doubt, *reply.blocks))


def _first(ctx: Context, schedule: Schedule) -> str:
    if schedule.next_at is None:
        return "never as it stands"
    return f"next {by_clock(schedule.next_at, ctx.origin.timezone)}"
