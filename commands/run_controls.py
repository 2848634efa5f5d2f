"""Commands that steer runs: retry, pause, resume, cancel, approve, and many at once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_replies import begun, changed
from commands.run_views import RunBulkData, RunData
from commands.schema import Doc, Ref
from core.approvals.problems import SelfApproval
from core.database import Tx
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.problems import Conflict, InvalidArgument
from core.kernel.reply import Reply
from core.runs import bulk as many
from core.runs import controls
from core.runs import service as runs
from core.runs.model import ACTIVE, HELD, WAITING, RunFilter, RunStatus

RunRef = Annotated[str, Ref("R")]
Action = Literal["cancel", "pause", "resume", "retry"]

_MOST_UNSAID = 20
_PAGE = 100
_FILTERS = frozenset({"status", "lane", "template", "worker", "label", "older_than"})
_OVER = frozenset({RunStatus.FAILED, RunStatus.TIMED_OUT, RunStatus.CANCELLED})
_MEANT: Mapping[Action, frozenset[RunStatus]] = {
    "cancel": ACTIVE - {RunStatus.CANCELLING},
    "pause": (WAITING | HELD) - {RunStatus.AWAITING_APPROVAL},
    "resume": frozenset({RunStatus.PAUSED}),
    "retry": _OVER,
}
"""Which runs a verb is for, unless somebody says how they stand."""


def _status_of(tx: Tx, run_id: str) -> str:
    """Bind consent to how a run stands; its heartbeats change nothing."""
    run = runs.find(tx, run_id)
    return run.status.value if run else "gone"


@command(
    "run retry",
    scope="runs:write",
    danger="write",
    http="POST /v1/runs/{run}/retry",
    status=202,
    target="run",
    result=RunData,
    examples=["run retry R-7"],
)
def retry(ctx: Context, run: RunRef) -> Reply:
    """Start a new run of the same; the old one stays as it ended."""
    again = controls.retry(ctx.tx, run)
    return begun(again, about=(blocks.fields(("retry of", run)),))


@command(
    "run pause",
    scope="runs:write",
    danger="write",
    http="POST /v1/runs/{run}/pause",
    target="run",
    result=RunData,
    examples=['run pause R-7 --reason "the site is busy"'],
)
def pause(ctx: Context, run: RunRef) -> Reply:
    """Hold a run: the step that runs is finished, and nothing more begins."""
    paused = controls.pause(ctx.tx, run, reason=ctx.options.reason)
    summary = f"Paused {paused.id}; resume with run resume {paused.id}"
    return changed(ctx, paused, summary, undo=f"run resume {paused.id}")


@command(
    "run resume",
    scope="runs:write",
    danger="write",
    http="POST /v1/runs/{run}/resume",
    target="run",
    result=RunData,
    examples=["run resume R-7"],
)
def resume(ctx: Context, run: RunRef) -> Reply:
    """Have a paused run go on."""
    resumed = controls.resume(ctx.tx, run)
    summary = f"{resumed.id} goes on: {resumed.status}"
    return changed(ctx, resumed, summary, undo=f"run pause {resumed.id}")


@command(
    "run cancel",
    scope="runs:write",
    danger="risky",
    http="POST /v1/runs/{run_id}/cancel",
    paths=["/runs.cancel"],
    target="run_id",
    fingerprint=_status_of,
    result=RunData,
    examples=['run cancel R-77 --reason "wrong version"', "cancel R-77"],
)
def cancel(ctx: Context, run_id: RunRef) -> Reply:
    """End a run: what waits at once, what runs once its worker has stopped the step."""
    run = controls.cancel(ctx.tx, run_id, reason=ctx.options.reason)
    verb = "Cancelled" if run.is_terminal else "Cancelling"
    return changed(ctx, run, f"{verb} {run.id}")


@command(
    "run approve",
    scope="runs:write",
    danger="write",
    http="POST /v1/runs/{run}/approve",
    target="run",
    result=RunData,
    examples=["run approve R-7"],
)
def approve(ctx: Context, run: RunRef) -> Reply:
    """Let a run begin that waits for somebody else's approval."""
    found = runs.get_(ctx.tx, run)
    if found.actor_id == ctx.principal.id:
        raise SelfApproval(
            f"{found.id} was asked for by you, so somebody else has to approve it",
            fix=[f"ask another person to say: run approve {found.id}"],
        )
    approved = controls.approve(ctx.tx, found.id)
    return changed(ctx, approved, f"{approved.id} is approved and {approved.status}")


@command(
    "run bulk",
    scope="runs:write",
    danger="risky",
    http="POST /v1/runs/bulk",
    result=RunBulkData,
    examples=[
        "run bulk cancel --status queued --lane D --older-than 1h --dry-run",
        "run bulk retry R-7 R-9",
    ],
)
def bulk(
    ctx: Context,
    action: Action,
    ids: Annotated[Sequence[RunRef], Doc("The runs, or say which by flags.")] = (),
    *,
    status: Annotated[Sequence[RunStatus], Doc("All that stand so.")] = (),
    lane: Lane | None = None,
    template: str = "",
    worker: str = "",
    label: str = "",
    older_than: Annotated[
        timedelta | None, Doc("Only those made longer ago than that.")
    ] = None,
    most: Annotated[
        int, Doc("Refuse if more are meant than that; at most 1000.")
    ] = _MOST_UNSAID,
) -> Reply:
    """Cancel, pause, resume or retry several runs, each by itself.

    Without ids all runs that fit the flags are meant; --dry-run counts them. What one
    run refuses does not keep the others from being changed.
    """
    wanted = RunFilter(
        statuses=frozenset(status) or _MEANT[action],
        lane=lane,
        template=template,
        worker=worker,
        label=label,
        until=ctx.tx.now - older_than if older_than else None,
    )
    meant = _named(ctx, ids) or _found(ctx.tx, wanted)
    _require_few(ctx, action, len(meant), most=most)
    results = many.change(
        ctx.tx, meant, controls.Action(action), reason=ctx.options.reason
    )
    told = _told(action, results)
    shown = [(e.id, e.status, e.made, e.detail) for e in results]
    return Reply(
        summary=f"{action}: {told['done']} of {blocks.count(len(results), 'run')} done",
        blocks=(blocks.table(("id", "status", "new", "why not"), shown),)
        if shown
        else (),
        data=told,
    )


COMMANDS: Sequence[Command] = (retry, pause, resume, cancel, approve, bulk)


def _named(ctx: Context, ids: Sequence[str]) -> Sequence[str]:
    """Return the runs that are named; none when flags say which are meant.

    Raises: InvalidArgument when both do, or neither.
    """
    filters = sorted(ctx.given & _FILTERS)
    if ids and filters:
        raise InvalidArgument(
            "runs are named, and so is what they are to be like",
            fix=["leave the ids out", f"leave --{filters[0].replace('_', '-')} out"],
            argument="ids",
        )
    if not ids and not filters:
        raise InvalidArgument(
            "no runs are meant",
            fix=["run bulk cancel R-7 R-9", "run bulk cancel --status queued"],
            argument="ids",
        )
    return ids


def _found(tx: Tx, wanted: RunFilter) -> Sequence[str]:
    """Find what fits the flags, as many as can be changed at once."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < controls.MOST_AT_ONCE:
        page = runs.list_(tx, wanted, limit=_PAGE, cursor=cursor)
        found += [each.id for each in page.items]
        cursor = page.next
    return found


def _require_few(ctx: Context, action: Action, count: int, *, most: int) -> None:
    """Refuse to change more than was expected; a dry run only counts.

    Raises: InvalidArgument, Conflict.
    """
    if not 1 <= most <= controls.MOST_AT_ONCE:
        raise InvalidArgument(
            f"{most} runs cannot be changed at once",
            fix=[f"--most {controls.MOST_AT_ONCE}"],
            argument="most",
        )
    if count > most and not ctx.options.dry_run:
        raise Conflict(
            f"{count} runs are meant, which is more than {most}",
            fix=[f"say --most {count} to {action} them all", "look first: --dry-run"],
            matched=count,
        )


def _told(action: Action, results: Sequence[controls.Done]) -> dict[str, Json]:
    done = sum(1 for each in results if each.is_done)
    return {
        "action": action,
        "matched": len(results),
        "done": done,
        "failed": len(results) - done,
        "items": [
            {
                "id": each.id,
                "ok": each.is_done,
                "status": each.status,
                "made": each.made,
                "code": each.code,
                "detail": each.detail,
            }
            for each in results
        ],
        "next": None,
    }
