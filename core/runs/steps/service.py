"""Note how the steps of an attempt go, each told as an event."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument
from core.kernel.texts import require_line, require_text
from core.runs.model import Run
from core.runs.reports import StepReport, StepStatus
from core.runs.steps import store
from core.runs.steps.model import StepRow

_NAME_LIMIT = 100
_DETAIL_LIMIT = 2_000
_MOST_STEPS = 200
_EVENTS = {
    StepStatus.RUNNING: "executor_started",
    StepStatus.SUCCEEDED: "executor_succeeded",
    StepStatus.FAILED: "executor_failed",
    StepStatus.CANCELLED: "executor_failed",
}


def note(tx: Tx, run: Run, report: StepReport) -> StepRow:
    """Note what a worker says of a step; what it said before is not told twice.

    Raises: InvalidArgument for a bad name, and for more than 200 steps.
    """
    require_line("step", report.step, limit=_NAME_LIMIT)
    known = store.list_of(tx, run.id, run.attempt)
    before = next((each for each in known if each.name == report.step), None)
    if before is None:
        if len(known) >= _MOST_STEPS:
            raise InvalidArgument(
                f"{run.id} has {len(known)} steps already",
                fix=[f"use at most {_MOST_STEPS}"],
                argument="step",
            )
        return begin(tx, run, report, position=len(known) + 1)
    return end(tx, report, before=before)


def begin(tx: Tx, run: Run, report: StepReport, *, position: int) -> StepRow:
    """Note a step for the first time, whether it begins or was over at once."""
    is_over = report.status is not StepStatus.RUNNING
    row = StepRow(
        run_id=run.id,
        attempt=run.attempt,
        name=report.step,
        position=position,
        uses=_uses(run, report),
        status=report.status,
        exit_code=report.exit_code,
        detail=_detail(report),
        started_at=None if report.status is StepStatus.SKIPPED else tx.now,
        finished_at=tx.now if is_over else None,
    )
    store.add(tx, row)
    _tell(tx, row)
    return row


def end(tx: Tx, report: StepReport, *, before: StepRow) -> StepRow:
    """Note how a step that began has ended; or that it began once more."""
    is_over = report.status is not StepStatus.RUNNING
    row = replace(
        before,
        status=report.status,
        exit_code=report.exit_code,
        detail=_detail(report),
        finished_at=tx.now if is_over else None,
    )
    if replace(row, finished_at=before.finished_at) == before:
        return before
    store.save(tx, row)
    _tell(tx, row)
    return row


def list_of(tx: Tx, run_id: str, attempt: int | None = None) -> Sequence[StepRow]:
    """List the steps of an attempt of a run, or of all of them."""
    return store.list_of(tx, run_id, attempt)


def find_running(tx: Tx, run: Run) -> StepRow | None:
    """Find the step at which an attempt is now."""
    running = [
        each
        for each in store.list_of(tx, run.id, run.attempt)
        if each.status is StepStatus.RUNNING
    ]
    return running[-1] if running else None


def close(tx: Tx, run: Run, *, detail: str) -> None:
    """End the steps that were running when an attempt was taken from its worker."""
    for row in store.list_of(tx, run.id, run.attempt):
        if row.status is StepStatus.RUNNING:
            report = StepReport(
                step=row.name, status=StepStatus.CANCELLED, detail=detail
            )
            end(tx, report, before=row)


def _uses(run: Run, report: StepReport) -> str:
    declared = next((each.uses for each in run.steps if each.name == report.step), "")
    return declared or require_line("uses", report.uses, limit=_NAME_LIMIT, least=0)


def _detail(report: StepReport) -> str:
    return require_text("detail", report.detail[:_DETAIL_LIMIT], limit=_DETAIL_LIMIT)


def _tell(tx: Tx, row: StepRow) -> None:
    event = _EVENTS.get(row.status)
    if event is None:
        return
    details: dict[str, Json] = {
        "step": row.name,
        "uses": row.uses,
        "attempt": row.attempt,
        "status": row.status.value,
        "exit_code": row.exit_code,
    }
    if row.detail:
        details["detail"] = row.detail
    append(tx, event, target=row.run_id, **details)
