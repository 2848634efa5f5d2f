"""Commands over lanes: how much of what is held at a time."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_views import LaneData, LanePageData
from commands.schema import Doc
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from core.runs.lanes import service as lanes
from core.runs.lanes.model import LaneFigures


@command(
    "lane list",
    scope="runs:read",
    http="GET /v1/lanes",
    result=LanePageData,
    examples=["lane list"],
)
def list_(ctx: Context) -> Reply:
    """List the lanes: what waits and is held in each, and how much it may be."""
    found = lanes.list_(ctx.tx)
    shown = [_lane(each) for each in found]
    queued = sum(each.queued for each in found)
    return Reply(
        summary=f"{blocks.count(queued, 'run')} queued in {len(found)} lanes",
        blocks=(
            blocks.table(
                ("lane", "queued", "held", "at most", "weight", "state"),
                [
                    (
                        each["lane"],
                        each["queued"],
                        each["held"],
                        each["concurrency"],
                        each["weight"],
                        each["state"],
                    )
                    for each in shown
                ],
            ),
        ),
        data={"items": [*shown], "next": None},
    )


@command(
    "lane set",
    scope="runs:admin",
    danger="write",
    http="PATCH /v1/lanes/{lane}",
    target="lane",
    result=LaneData,
    examples=["lane set B --concurrency 4", "lane set A --weight 16"],
)
def set_(
    ctx: Context,
    lane: Lane,
    *,
    weight: Annotated[int | None, Doc("Its share while others have work too.")] = None,
    concurrency: Annotated[
        int | None, Doc("How many runs at a time; 0 closes it.")
    ] = None,
) -> Reply:
    """Change how many runs of a lane are held at a time, and its share of workers."""
    if weight is None and concurrency is None:
        raise InvalidArgument(
            "nothing to change", fix=[f"lane set {lane} --concurrency 4"]
        )
    before = lanes.get_(ctx.tx, lane)
    lanes.set_(ctx.tx, lane, weight=weight, concurrency=concurrency)
    undo = (
        f"lane set {lane} --weight {before.weight} --concurrency {before.concurrency}"
    )
    return _one_of(ctx, lane, undo=undo)


@command(
    "lane drain",
    scope="runs:admin",
    danger="write",
    http="POST /v1/lanes/{lane}/drain",
    target="lane",
    result=LaneData,
    examples=["lane drain D"],
)
def drain(ctx: Context, lane: Lane) -> Reply:
    """Give nothing of a lane out; what is held goes on, and what comes waits."""
    lanes.drain(ctx.tx, lane)
    return _one_of(ctx, lane, undo=f"lane open {lane}")


@command(
    "lane open",
    scope="runs:admin",
    danger="write",
    http="POST /v1/lanes/{lane}/open",
    target="lane",
    result=LaneData,
    examples=["lane open D"],
)
def open_(ctx: Context, lane: Lane) -> Reply:
    """Give the runs of a lane out again that was drained."""
    lanes.open_(ctx.tx, lane)
    return _one_of(ctx, lane, undo=f"lane drain {lane}")


COMMANDS: Sequence[Command] = (list_, set_, drain, open_)


def _lane(lane: LaneFigures) -> dict[str, Json]:
    state = "open" if lane.rule.is_open else "closed"
    shown = lanes.view(lane)
    return {
        "id": lane.rule.lane.value,
        **shown,
        "state": "draining" if lane.rule.is_draining else state,
    }


def _one_of(ctx: Context, lane: Lane, *, undo: str) -> Reply:
    found = lanes.list_(ctx.tx)
    shown = next(_lane(each) for each in found if each.rule.lane is lane)
    return Reply(
        summary=f"Lane {lane} is {shown['state']}: at most {shown['concurrency']}, "
        f"weight {shown['weight']}, {shown['held']} held, {shown['queued']} queued",
        data=shown,
        undo=blocks.undo(ctx, undo),
    )
