"""What runs print, read from its end or from a byte on."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_log_views import SHOWN_LINES, LogData, code_of, link_of, log_view
from commands.schema import Doc, Ref
from core.kernel.reply import Block, Link, Reply
from core.runs import service as runs
from core.runs.logs import service as logs
from core.runs.logs.model import LogPage
from core.runs.model import Run


@command(
    "run logs",
    scope="runs:read",
    http="GET /v1/runs/{run}/logs",
    target="run",
    result=LogData,
    examples=["run logs R-77 --step migrate --tail 50"],
)
def read(
    ctx: Context,
    run: Annotated[str, Ref("R")],
    *,
    step: Annotated[str, Doc("What this step printed, nothing else.")] = "",
    tail: Annotated[int, Doc("How many of the last lines, up to 1,000.")] = SHOWN_LINES,
    offset: Annotated[int, Doc("Begin at this byte instead.")] = 0,
    follow: Annotated[
        bool, Doc("Go on as more comes; a stream over HTTP, in ops and its shell.")
    ] = False,
) -> Reply:
    """Read what a run printed: its last lines, or from a byte on.

    With `follow=true` over HTTP the answer is a stream of server-sent events: `log`
    with the `id` to come back from, and `end` when the run is over.
    """
    found = runs.get_(ctx.tx, run)
    lines = 0 if "offset" in ctx.given else tail
    page = logs.read(ctx.tx, found.id, offset=offset, tail=lines, step=step)
    place = page.lines[-SHOWN_LINES:]
    line = place[0].number if place else 0
    return Reply(
        summary=_summary(found, page, step),
        url=link_of(found.id, step=step, line=line),
        blocks=_blocks(found, page, step=step, line=line, is_followed=follow),
        data=log_view(found, page, step=step),
    )


COMMANDS: Sequence[Command] = (read,)


def _summary(run: Run, page: LogPage, step: str) -> str:
    of_step = f", step {step}" if step else ""
    if not page.lines:
        return (
            f"{run.id}{of_step} has printed nothing{'' if run.is_terminal else ' yet'}"
        )
    first, last = page.lines[0].number, page.lines[-1].number
    return f"{run.id}{of_step}: lines {first} to {last} of {page.total_lines}"[:150]


def _blocks(
    run: Run, page: LogPage, *, step: str, line: int, is_followed: bool
) -> Sequence[Block]:
    steps = (
        [("Watch", f"watch {run.id}")] if is_followed and not run.is_terminal else []
    )
    more = blocks.actions(*steps, ("The run", f"run show {run.id}"))
    if not page.lines:
        return (more,)
    label = f"{run.id} at line {line}"
    return (
        code_of(page.lines),
        Link(label=label, url=link_of(run.id, step=step, line=line)),
        more,
    )
