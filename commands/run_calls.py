"""Commands of workers: claim runs, say that the work goes on, tell of it, end it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal

from commands.context import Context
from commands.registry import Command, Trace, command
from commands.run_views import BeatData, ClaimedData, RunData, RunReportedData
from commands.run_wire import (
    parse_error,
    parse_progress,
    parse_reports,
    show_claimed,
)
from commands.schema import Doc, Ref
from core.kernel.clock import to_iso
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply
from core.runs import calls, claims
from core.runs.model import RunError
from core.runs.reports import LEASE, LEASES, MOST_CLAIMED, Outcome, Wanted
from core.runs.views import view

MOST_WAITED = 30
_LEASE_SECONDS = int(LEASE.total_seconds())

RunId = Annotated[str, Ref("R"), Doc("The run, R-7.")]
Fence = Annotated[int, Doc("The number that came with the claim.")]


def _of_claim(reply: Reply) -> Trace:
    return Trace.ENTRY if reply.data["runs"] else Trace.NOTHING


def _of_telling(_: Reply) -> Trace:
    # What a worker tells is read at the run: its events, steps, logs and progress.
    return Trace.ANSWER


@command(
    "run claim",
    scope="runs:work",
    danger="write",
    trace=_of_claim,
    http="POST /runs.claim",
    result=ClaimedData,
    examples=["run claim builder-1 --lanes A,B --labels gpu --limit 2"],
)
def claim(
    ctx: Context,
    worker: Annotated[str, Doc("What the worker is called; unknown ones are noted.")],
    *,
    lanes: Annotated[Sequence[Lane], Doc("Left out, all of them.")] = (),
    labels: Annotated[Sequence[str], Doc("What this worker has, such as gpu.")] = (),
    limit: Annotated[int, Doc(f"At most so many runs, 1 to {MOST_CLAIMED}.")] = 1,
    wait_seconds: Annotated[
        int, Doc(f"Wait so long for work, 0 to {MOST_WAITED}; not in chats.")
    ] = 0,
    kinds: Annotated[Sequence[str], Doc("Left out, all; manual has no steps.")] = (),
    host: Literal["external", "fleet"] = "external",
    manual: Annotated[
        bool, Doc("Take runs without steps too, which only it can do.")
    ] = True,
    lease_seconds: Annotated[
        int, Doc(f"How long without a heartbeat, {LEASES[0]} to {LEASES[-1]}.")
    ] = _LEASE_SECONDS,
) -> Reply:
    """Take runs to do; each is yours until its lease ends, unless heartbeats renew it.

    Every further call about a run carries its id and its fence. A fence that is not the
    current one is refused with lease_lost: somebody else has the run, so stop the work.
    """
    _require("wait_seconds", wait_seconds, range(MOST_WAITED + 1))
    _require("lease_seconds", lease_seconds, LEASES)
    wanted = Wanted(
        worker=worker,
        host=host,
        lanes=lanes,
        labels=frozenset(labels),
        limit=limit,
        kinds=frozenset(kinds),
        takes_manual=manual,
        lease=timedelta(seconds=lease_seconds),
    )
    claimed = claims.claim(ctx.tx, wanted)
    ids = ", ".join(run.id for run in claimed)
    return Reply(
        summary=f"{worker} has {ids}"[:150] if ids else "There is nothing to do",
        data={"runs": [show_claimed(run) for run in claimed]},
    )


@command(
    "run heartbeat",
    scope="runs:work",
    danger="write",
    trace=_of_telling,
    http="POST /runs.heartbeat",
    target="run_id",
    result=BeatData,
    examples=['run heartbeat R-7 --fence 3 --progress {"done":1,"total":4}'],
)
def heartbeat(
    ctx: Context,
    run_id: RunId,
    *,
    fence: Fence,
    progress: Annotated[
        dict[str, Any] | None, Doc("done and total, and a note.")
    ] = None,
) -> Reply:
    """Say that the work goes on; the first one says that it has begun.

    The answer tells the worker to stop the work (cancel) or to hold it (pause).
    """
    told = parse_progress(progress) if progress is not None else None
    beat = calls.beat(ctx.tx, run_id, fence=fence, progress=told)
    orders = [word for word in ("cancel", "pause") if getattr(beat, word)]
    until = to_iso(beat.lease_expires_at)
    return Reply(
        summary=f"{run_id} is yours until {until}"
        + (f"; {' and '.join(orders)} it" if orders else ""),
        data={"cancel": beat.cancel, "pause": beat.pause, "lease_expires_at": until},
    )


@command(
    "run report",
    scope="runs:work",
    danger="write",
    trace=_of_telling,
    http="POST /events.append",
    target="run_id",
    result=RunReportedData,
    examples=[
        (
            "run report R-7 --fence 3 --events "
            '[{"type":"step","step":"build","status":"running"}]'
        )
    ],
)
def report(
    ctx: Context,
    run_id: RunId,
    *,
    fence: Fence,
    events: Annotated[
        Sequence[dict[str, Any]],
        Doc("Objects with a type: step, log, progress, or own."),
    ],
) -> Reply:
    """Tell what happens to a run: steps that begin and end, output, progress, notes.

    A step has step, status (running, succeeded, failed, skipped, cancelled), exit_code
    and detail; a log has step, stream and text; progress has done, total and note. Any
    other type becomes an event about the run, with its details.
    """
    reports = parse_reports(events)
    calls.report(ctx.tx, run_id, fence=fence, reports=reports)
    return Reply(
        summary=f"Noted {len(reports)} on {run_id}",
        data={"ok": True, "count": len(reports)},
    )


@command(
    "run complete",
    scope="runs:work",
    danger="write",
    http="POST /runs.complete",
    target="run_id",
    result=RunData,
    examples=["run complete R-7 succeeded --fence 3"],
)
def complete(
    ctx: Context,
    run_id: RunId,
    status: Literal["succeeded", "failed", "cancelled"],
    *,
    fence: Fence,
    result: Annotated[dict[str, Any] | None, Doc("What came of it.")] = None,
    error: Annotated[
        dict[str, Any] | str | None, Doc("code, detail and step, or a sentence.")
    ] = None,
    final: Annotated[bool, Doc("A failure that is not to be tried again.")] = False,
) -> Reply:
    """End an attempt; one that failed is tried again if its retry rule says so."""
    if error is not None and status != "failed":
        raise InvalidArgument(
            f"what has {status} has no error",
            fix=["leave error out", "send status failed"],
            argument="error",
        )
    outcome = Outcome(
        status=status,
        result=result or {},
        error=_error(status, error),
        is_final=final,
    )
    run = calls.complete(ctx.tx, run_id, fence=fence, outcome=outcome)
    return Reply(summary=f"{run.id} is {run.status}", data=view(run))


@command(
    "run hand-back",
    scope="runs:work",
    danger="write",
    http="POST /runs.hand-back",
    target="run_id",
    result=RunData,
    examples=["run hand-back R-7 --fence 3 --reason 'worker stops'"],
)
def hand_back(ctx: Context, run_id: RunId, *, fence: Fence) -> Reply:
    """Give a run back between two steps; the attempt does not count.

    A step that was cut short is an attempt: complete it as failed, `worker_stopped`.
    """
    run = calls.hand_back(ctx.tx, run_id, fence=fence, reason=ctx.options.reason)
    return Reply(summary=f"{run.id} is {run.status}", data=view(run))


def _require(name: str, seconds: int, allowed: range) -> None:
    if seconds not in allowed:
        nearest = allowed[0] if seconds < allowed[0] else allowed[-1]
        raise InvalidArgument(
            f"{name} cannot be {seconds}: it is {allowed[0]} to {allowed[-1]}",
            fix=[f"--{name.replace('_', '-')} {nearest}"],
            argument=name,
        )


def _error(status: str, raw: dict[str, Any] | str | None) -> RunError | None:
    if raw is not None:
        return parse_error(raw)
    if status == "failed":
        return RunError(code="failed", detail="The worker did not say why.")
    return None


COMMANDS: Sequence[Command] = (claim, heartbeat, report, complete, hand_back)
