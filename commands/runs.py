"""Commands that look at runs: list, show, their steps and events, and why they wait."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_replies import shown, steps_table
from commands.run_views import (
    RunDetailData,
    RunExplainedData,
    RunPageData,
    RunStepPageData,
)
from commands.schema import Doc, Person, Ref
from commands.views import EventPageData
from core.events import service as events
from core.events.model import Event, EventFilter
from core.events.model import view as event_view
from core.kernel.lanes import Lane
from core.kernel.reply import Code, Reply, Text
from core.runs import service as runs
from core.runs.explain import explain as why
from core.runs.model import Run, RunFilter, RunStatus
from core.runs.steps import service as steps
from core.runs.steps.model import view as step_view
from core.runs.views import name_of, state_of, view

RunRef = Annotated[str, Ref("R")]
_MOST_EVENTS = 100


@command(
    "run list",
    scope="runs:read",
    http="GET /v1/runs",
    result=RunPageData,
    examples=["run list --lane A --status running", "run list --since 24h -o csv"],
)
def list_(
    ctx: Context,
    *,
    status: Annotated[Sequence[RunStatus], Doc("Only runs that stand so, or so.")] = (),
    lane: Lane | None = None,
    template: Annotated[str, Doc("Only runs of this template.")] = "",
    kind: str = "",
    worker: Annotated[str, Doc("Only what this worker has or had.")] = "",
    actor: Annotated[str, Person(), Doc("Only what this person started.")] = "",
    label: str = "",
    job: Annotated[str, Ref("J")] = "",
    task: Annotated[str, Ref("T")] = "",
    parent: Annotated[str, Ref("R"), Doc("Only retries of this run.")] = "",
    since: Annotated[datetime | None, Doc("Made at or after this moment.")] = None,
    until: Annotated[datetime | None, Doc("Made at or before this moment.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List runs, the newest first; -o csv exports them."""
    wanted = RunFilter(
        statuses=frozenset(status),
        lane=lane,
        template=template,
        kind=kind,
        worker=worker,
        actor=actor,
        label=label,
        job=job,
        task=task,
        parent=parent,
        since=since,
        until=until,
    )
    page = runs.list_(ctx.tx, wanted, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No runs", ("What can be started", "template list"))
    more = " and more" if page.next else ""
    return Reply(
        summary=f"{blocks.count(len(page.items), 'run')}{more}",
        blocks=(
            blocks.table(
                ("id", "run of", "state", "lane", "worker", "heard", "age"),
                [_row(each, ctx.tx.now) for each in page.items],
                next=page.next,
            ),
        ),
        data={"items": [view(each) for each in page.items], "next": page.next},
    )


@command(
    "run show",
    scope="runs:read",
    http="GET /v1/runs/{run}",
    target="run",
    result=RunDetailData,
    examples=["run show R-7", "R-7"],
)
def show(ctx: Context, run: RunRef) -> Reply:
    """Show a run: how it stands, its steps, its error, and what it left behind."""
    return shown(ctx.tx, runs.get_(ctx.tx, run))


@command(
    "run steps",
    scope="runs:read",
    http="GET /v1/runs/{run}/steps",
    target="run",
    result=RunStepPageData,
    examples=["run steps R-7", "run steps R-7 --attempt 1"],
)
def list_steps(
    ctx: Context,
    run: RunRef,
    *,
    attempt: Annotated[int | None, Doc("Only those of one attempt, from 1.")] = None,
) -> Reply:
    """List the steps of a run as they began, of all attempts."""
    found = runs.get_(ctx.tx, run)
    rows = steps.list_of(ctx.tx, found.id, attempt)
    return Reply(
        summary=f"{found.id}: {blocks.count(len(rows), 'step')} told of",
        blocks=(steps_table(rows),) if rows else (),
        data={
            "id": found.id,
            "items": [step_view(each) for each in rows],
            "next": None,
        },
    )


@command(
    "run events",
    scope="runs:read",
    http="GET /v1/runs/{run}/events",
    target="run",
    result=EventPageData,
    examples=["run events R-7"],
)
def list_events(
    ctx: Context,
    run: RunRef,
    *,
    limit: Annotated[int, Doc("The newest so many, 1 to 100.")] = 50,
) -> Reply:
    """List what happened to a run, in its order."""
    found = runs.get_(ctx.tx, run)
    last = events.list_last(
        ctx.tx,
        EventFilter(targets=frozenset({found.id})),
        limit=max(1, min(limit, _MOST_EVENTS)),
    )
    return Reply(
        summary=f"{found.id}: {blocks.count(len(last), 'event')}",
        blocks=(Code(text="\n".join(_line(each) for each in last)),) if last else (),
        data={"items": [event_view(each) for each in last], "next": None},
    )


@command(
    "run explain",
    scope="runs:read",
    http="GET /v1/runs/{run}/explain",
    target="run",
    result=RunExplainedData,
    examples=["run explain R-7"],
)
def explain(ctx: Context, run: RunRef) -> Reply:
    """Say why a run is not running, and what would have it run."""
    found = runs.get_(ctx.tx, run)
    reason = why(ctx.tx, found)
    return Reply(
        summary=f"{found.id}: {reason.text}"[:150],
        blocks=(
            Text(md=reason.text),
            *(
                [blocks.actions(*((each, each) for each in reason.fix))]
                if reason.fix
                else []
            ),
        ),
        data={
            "id": found.id,
            "status": found.status.value,
            "state": state_of(found),
            "code": reason.code,
            "text": reason.text,
            "fix": [*reason.fix],
        },
    )


COMMANDS: Sequence[Command] = (list_, show, list_steps, list_events, explain)


def _row(run: Run, now: datetime) -> Sequence[object]:
    heard = f"{blocks.age(run.heartbeat_at, now)} ago" if run.heartbeat_at else ""
    return (
        run.id,
        name_of(run),
        state_of(run),
        run.lane,
        run.worker,
        heard,
        blocks.age(run.created_at, now),
    )


def _line(event: Event) -> str:
    step = event.details.get("step", "")
    return f"{event.ts:%m-%d %H:%M:%S} {event.type} {step} {event.actor}".replace(
        "  ", " "
    )
