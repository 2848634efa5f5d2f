"""What is shown of a run: to whoever began it, looks at it, or waits for its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from commands import blocks
from commands.context import Context
from core.database import Tx
from core.kernel.jsons import Json
from core.kernel.reply import (
    SUMMARY_LIMIT,
    Actions,
    Block,
    Progress,
    Reply,
    ReplyStatus,
    Text,
    Undo,
)
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.explain import Explanation, explain
from core.runs.model import HELD, TERMINAL, WAITING, Run, RunStatus
from core.runs.steps import service as steps
from core.runs.steps.model import StepRow
from core.runs.steps.model import view as step_view
from core.runs.views import name_of, state_of, view

_MARKS = {
    "running": "…",
    "succeeded": "✓",
    "failed": "✗",
    "skipped": "-",
    "cancelled": "✗",
}
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))


def begun(run: Run, *, about: Sequence[Block] = ()) -> Reply:
    """Answer whoever made a run: it goes on, unless it was over already."""
    shown = view(run)
    return Reply(
        summary=summary_of(run),
        status=ReplyStatus.OK if run.is_terminal else ReplyStatus.RUNNING,
        blocks=(*about, *progress_of(run), actions_of(run)),
        data=shown,
    )


def changed(ctx: Context, run: Run, summary: str, *, undo: str = "") -> Reply:
    """Answer whoever changed a run; `undo` is the line that takes it back."""
    offered: Undo | None = blocks.undo(ctx, undo) if undo else None
    goes_on = run.status is RunStatus.CANCELLING
    return Reply(
        summary=summary[:SUMMARY_LIMIT],
        status=ReplyStatus.RUNNING if goes_on else ReplyStatus.OK,
        blocks=(*progress_of(run), actions_of(run)),
        data=view(run),
        undo=offered,
    )


def shown(tx: Tx, run: Run) -> Reply:
    """Show a run whole: how it stands, its steps, and what it left behind."""
    why = None if run.is_terminal else explain(tx, run)
    rows = steps.list_of(tx, run.id)
    kept = [artifacts.view(each) for each in artifacts.list_of(tx, run.id)]
    return Reply(
        summary=summary_of(run, why.text if why else ""),
        blocks=(
            blocks.fields(*facts_of(run, tx.now, why)),
            *progress_of(run),
            *_steps_block(rows),
            *_artifacts_block(kept),
            actions_of(run),
        ),
        data={
            **view(run, why=why),
            "steps": [step_view(each) for each in rows],
            "artifacts": [*kept],
        },
    )


def standing(tx: Tx, run_id: str) -> Reply:
    """Show a run to whoever waits for its end; RUNNING until it is over.

    Raises: NotFound.
    """
    run = runs.get_(tx, run_id)
    goes_on = ReplyStatus.OK if run.is_terminal else ReplyStatus.RUNNING
    return replace(shown(tx, run), status=goes_on)


def summary_of(run: Run, state: str = "") -> str:
    """Say in a line how a run stands: `R-77 succeeded in 1m 12s`."""
    state = state or state_of(run)
    if run.is_terminal and run.finished_at and run.started_at:
        words = "timed out" if run.status is RunStatus.TIMED_OUT else run.status
        took = written_span(run.finished_at - run.started_at)
        why = f": {run.error.detail}" if run.error else ""
        return f"{run.id} {words} in {took}{why}"[:SUMMARY_LIMIT]
    return f"{run.id} ({name_of(run)}) {state[:1].lower()}{state[1:]}"[:SUMMARY_LIMIT]


def facts_of(
    run: Run, now: datetime, why: Explanation | None = None
) -> Sequence[tuple[str, object]]:
    """Name what matters of a run; empty values are left out where it is shown."""
    held = (
        f", heard {blocks.age(run.heartbeat_at, now)} ago" if run.heartbeat_at else ""
    )
    return (
        ("state", why.text if why else state_of(run)),
        ("reason", run.reason),
        ("error", f"{run.error.code}: {run.error.detail}" if run.error else ""),
        ("template", run.template),
        ("lane", run.lane),
        ("priority", run.priority or ""),
        ("worker", f"{run.worker}{held}" if run.worker else ""),
        (
            "attempt",
            f"{run.attempt} of {run.retry.max_attempts}" if run.attempt else "",
        ),
        ("task", run.task),
        ("job", run.job),
        ("parent", run.parent),
        ("asked", f"by {run.actor}, {blocks.age(run.created_at, now)} ago"),
    )


def progress_of(run: Run) -> Sequence[Block]:
    """Show how far a run is, once it says so."""
    if not run.progress.total:
        return ()
    note = run.progress.note
    return [
        Progress(
            done=run.progress.done,
            total=run.progress.total,
            steps=(note,) if note else (),
        )
    ]


def actions_of(run: Run) -> Actions:
    """Offer what can be done with a run as it stands."""
    offered = [("Show", f"run show {run.id}"), ("Logs", f"run logs {run.id}")]
    if run.status in TERMINAL:
        return blocks.actions(*offered, ("Retry", f"run retry {run.id}"))
    if run.status is RunStatus.AWAITING_APPROVAL:
        offered.insert(0, ("Approve", f"run approve {run.id}"))
    if run.status is RunStatus.PAUSED:
        offered.append(("Resume", f"run resume {run.id}"))
    if run.status in HELD or run.status is RunStatus.QUEUED:
        offered.append(("Pause", f"run pause {run.id}"))
    if run.status in WAITING:
        offered.append(("Why not yet", f"run explain {run.id}"))
    if run.status is not RunStatus.CANCELLING:
        offered.append(("Cancel", f"run cancel {run.id}"))
    return blocks.actions(*offered)


def written_span(span: timedelta) -> str:
    """Write how long something took: `1m 12s`, `3h 5m`, `0.4s`."""
    seconds = max(0.0, span.total_seconds())
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            below, lesser = (*_UNITS, ("s", 1))[place + 1]
            rest = int(seconds % size) // lesser
            return f"{int(seconds // size)}{unit}" + (f" {rest}{below}" if rest else "")
    return f"{seconds:.1f}s".replace(".0s", "s")


def steps_table(rows: Sequence[StepRow]) -> Block:
    """Show steps under each other, with how each went."""
    return blocks.table(
        ("", "step", "status", "exit", "took", "detail"),
        [
            (
                _MARKS[each.status],
                each.name,
                each.status,
                each.exit_code,
                _took(each),
                each.detail[:80],
            )
            for each in rows
        ],
    )


def _took(step: StepRow) -> str:
    if step.started_at is None or step.finished_at is None:
        return ""
    return written_span(step.finished_at - step.started_at)


def _steps_block(rows: Sequence[StepRow]) -> Sequence[Block]:
    return [steps_table(rows)] if rows else ()


def _artifacts_block(kept: Sequence[dict[str, Json]]) -> Sequence[Block]:
    if not kept:
        return ()
    names = ", ".join(f"{each['name']} ({each['id']})" for each in kept[:20])
    return [Text(md=f"Artifacts: {names}")]
