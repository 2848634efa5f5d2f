"""The Task API: runs as clients of that API know them, with a spec and an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.run_replies import actions_of, facts_of
from commands.run_start import reply_to_of
from commands.schema import Doc, Ref
from core.database import Tx
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.reply import Reply
from core.runs import controls
from core.runs import service as runs
from core.runs.logs import service as logs
from core.runs.model import MANUAL, NewRun, Run, RunFilter, RunStatus
from core.runs.steps import service as steps
from core.runs.templates import service as templates
from core.runs.templates.service import StepCheck

Told = Literal["PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELED"]

_OUTPUT_BYTES = 65_536
_TOLD: Mapping[RunStatus, Told] = {
    RunStatus.SCHEDULED: "PENDING",
    RunStatus.AWAITING_APPROVAL: "PENDING",
    RunStatus.QUEUED: "PENDING",
    RunStatus.RETRY_WAIT: "PENDING",
    RunStatus.CLAIMED: "RUNNING",
    RunStatus.RUNNING: "RUNNING",
    RunStatus.PAUSED: "RUNNING",
    RunStatus.CANCELLING: "RUNNING",
    RunStatus.SUCCEEDED: "COMPLETED",
    RunStatus.FAILED: "FAILED",
    RunStatus.TIMED_OUT: "FAILED",
    RunStatus.CANCELLED: "CANCELED",
}

SpecTask = Annotated[str, Ref("R"), Doc("The id that it was created with, R-7.")]


class OutcomeData(TypedDict):
    """How a spec task ended: what its last process returned, and what it printed."""

    exit_code: int | None
    stdout: str
    stderr: str


class SpecTaskData(TypedDict):
    """A run in the words of the Task API; `outcome` is null until it is over."""

    id: str
    spec_id: str
    status: Told
    template: str
    input: dict[str, Any]
    created_at: str
    started_at: str | None
    finished_at: str | None
    error: str
    outcome: OutcomeData | None


class SpecTaskPageData(TypedDict):
    """A page of spec tasks, the newest first, without what they printed."""

    items: list[SpecTaskData]
    next: str | None


def spec_task_commands(check: StepCheck) -> Sequence[Command]:
    """Build the commands of the Task API; `check` refuses steps that could never run."""

    @command(
        "spec-task create",
        scope="runs:write",
        danger="risky",
        is_previewed=True,
        http="POST /api/v1/tasks",
        paths=["/api/tasks"],
        status=201,
        result=SpecTaskData,
        examples=['spec-task create SPEC-12 --template deploy --input {"env":"prod"}'],
    )
    def create(
        ctx: Context,
        spec_id: Annotated[str, Doc("The spec that it carries out, as you call it.")],
        *,
        template: Annotated[str, Doc("What does it; without one, your worker.")] = "",
        input: Annotated[dict[str, Any] | None, Doc("Its parameters.")] = None,
        lane: Lane | None = None,
        idempotency_key: str = "",
    ) -> Reply:
        """Have a spec carried out: by the steps of a template, or by your own worker."""
        wanted = NewRun(kind=MANUAL, input=input or {})
        if template:
            wanted = templates.prepare(ctx.tx, template, input or {}, check=check)
        run = runs.create(
            ctx.tx,
            replace(
                wanted,
                alias=spec_id,
                lane=lane or wanted.lane,
                idempotency_key=idempotency_key,
                reply_to=reply_to_of(ctx),
            ),
        )
        return _one_of(ctx.tx, run)

    return (create, list_, show, cancel)


@command(
    "spec-task list",
    scope="runs:read",
    http="GET /api/v1/tasks",
    paths=["/api/tasks"],
    result=SpecTaskPageData,
    examples=["spec-task list --status RUNNING"],
)
def list_(
    ctx: Context,
    *,
    status: Annotated[Told | None, Doc("Only those that stand so.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List runs in the words of the Task API, the newest first."""
    statuses = frozenset(each for each, told in _TOLD.items() if told == status)
    page = runs.list_(ctx.tx, RunFilter(statuses=statuses), limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            "No spec tasks", ("How to make one", "help spec-task create")
        )
    return Reply(
        summary=blocks.count(len(page.items), "spec task"),
        blocks=(
            blocks.table(
                ("id", "spec", "status", "age"),
                [
                    (
                        each.id,
                        _spec_of(each),
                        _TOLD[each.status],
                        blocks.age(each.created_at, ctx.tx.now),
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={
            "items": [_view(each, outcome=None) for each in page.items],
            "next": page.next,
        },
    )


@command(
    "spec-task show",
    scope="runs:read",
    http="GET /api/v1/tasks/{spec_task}",
    paths=["/api/tasks/{spec_task}"],
    target="spec_task",
    result=SpecTaskData,
    examples=["spec-task show R-7"],
)
def show(ctx: Context, spec_task: SpecTask) -> Reply:
    """Show a run in the words of the Task API, with what it printed once it is over."""
    return _one_of(ctx.tx, runs.get_(ctx.tx, spec_task))


@command(
    "spec-task cancel",
    scope="runs:write",
    danger="risky",
    http="POST /api/v1/tasks/{spec_task}/cancel",
    paths=[
        "/api/tasks/{spec_task}/cancel",
        "DELETE /api/v1/tasks/{spec_task}",
        "DELETE /api/tasks/{spec_task}",
        "PATCH /api/v1/tasks/{spec_task}",
        "PATCH /api/tasks/{spec_task}",
    ],
    target="spec_task",
    result=SpecTaskData,
    examples=["spec-task cancel R-7 --reason 'not needed'"],
)
def cancel(
    ctx: Context,
    spec_task: SpecTask,
    *,
    action: Annotated[
        Literal["cancel"], Doc("What a PATCH changes: nothing else can be.")
    ] = "cancel",
) -> Reply:
    """Cancel what a spec task runs; it is CANCELED once its worker has stopped."""
    del action
    run = controls.cancel(ctx.tx, spec_task, reason=ctx.options.reason)
    return _one_of(ctx.tx, run)


def _one_of(tx: Tx, run: Run) -> Reply:
    told = _TOLD[run.status]
    return Reply(
        summary=f"{run.id} ({_spec_of(run) or run.kind}) is {told}"[:150],
        blocks=(blocks.fields(*facts_of(run, tx.now)), actions_of(run)),
        data=_view(run, outcome=_outcome(tx, run) if run.is_terminal else None),
    )


def _view(run: Run, *, outcome: dict[str, Json] | None) -> dict[str, Json]:
    return {
        "id": run.id,
        "spec_id": _spec_of(run),
        "status": _TOLD[run.status],
        "template": run.template,
        "input": dict(run.input),
        "created_at": to_iso(run.created_at),
        "started_at": to_iso(run.started_at) if run.started_at else None,
        "finished_at": to_iso(run.finished_at) if run.finished_at else None,
        "error": run.error.detail if run.error else "",
        "outcome": outcome,
    }


def _spec_of(run: Run) -> str:
    return run.alias or run.template


def _outcome(tx: Tx, run: Run) -> dict[str, Json]:
    """Read how the last attempt ended: its last exit code, and the end of its output."""
    rows = steps.list_of(tx, run.id, run.attempt)
    codes = [each.exit_code for each in rows if each.exit_code is not None]
    said = run.result.get("exit_code")
    own = said if isinstance(said, int) and not isinstance(said, bool) else None
    return {
        "exit_code": codes[-1] if codes else own,
        "stdout": _printed(tx, run, "stdout"),
        "stderr": _printed(tx, run, "stderr"),
    }


def _printed(tx: Tx, run: Run, stream: str) -> str:
    """Read the end of what the last attempt printed on one stream."""
    total = logs.read(tx, run.id, tail=1).next_offset
    page = logs.read(tx, run.id, offset=max(0, total - _OUTPUT_BYTES))
    return "".join(
        each.text
        for each in page.chunks
        if each.stream == stream and each.attempt == run.attempt
    )
