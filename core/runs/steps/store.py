"""Queries over the steps of runs."""

from collections.abc import Sequence

from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.runs.reports import StepStatus
from core.runs.steps.model import StepRow
from core.runs.steps.tables import run_steps

_TABLE = run_steps.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_OF_RUN = _OWN & (_TABLE.run_id == bindparam("of"))
_COLUMNS = run_steps.select().with_only_columns(
    _TABLE.run_id,
    _TABLE.attempt,
    _TABLE.name,
    _TABLE.position,
    _TABLE.uses,
    _TABLE.status,
    _TABLE.exit_code,
    _TABLE.detail,
    _TABLE.started_at,
    _TABLE.finished_at,
)
_ALL = Prepared(
    _COLUMNS.where(_OF_RUN)
    .order_by(_TABLE.attempt, _TABLE.position)
    .limit(bindparam("most"))
)
_OF_ATTEMPT = Prepared(
    _COLUMNS.where(_OF_RUN, _TABLE.attempt == bindparam("nth")).order_by(
        _TABLE.position
    )
)
_SAVE = Prepared(
    run_steps.update()
    .where(
        _OF_RUN, _TABLE.attempt == bindparam("nth"), _TABLE.name == bindparam("step")
    )
    .values(
        status=bindparam("new_status"),
        exit_code=bindparam("code"),
        detail=bindparam("said"),
        finished_at=bindparam("ended"),
        version=_TABLE.version + literal_column("1"),
    )
)
_MOST = 1_000


def add(tx: Tx, step: StepRow) -> None:
    """Store a step that was not told of before in this attempt."""
    tx.insert(
        run_steps,
        {
            "run_id": step.run_id,
            "attempt": step.attempt,
            "name": step.name,
            "position": step.position,
            "uses": step.uses,
            "status": step.status.value,
            "exit_code": step.exit_code,
            "detail": step.detail,
            "started_at": to_micros(step.started_at) if step.started_at else None,
            "finished_at": to_micros(step.finished_at) if step.finished_at else None,
        },
    )


def save(tx: Tx, step: StepRow) -> None:
    """Store how a step stands now."""
    tx.change(
        _SAVE,
        of=step.run_id,
        nth=step.attempt,
        step=step.name,
        new_status=step.status.value,
        code=step.exit_code,
        said=step.detail,
        ended=to_micros(step.finished_at) if step.finished_at else None,
    )


def list_of(tx: Tx, run_id: str, attempt: int | None) -> Sequence[StepRow]:
    """List the steps of an attempt, or of all, in the order in which they began."""
    rows = (
        tx.run(_ALL, of=run_id, most=_MOST)
        if attempt is None
        else tx.run(_OF_ATTEMPT, of=run_id, nth=attempt)
    )
    return [_to_step(row) for row in rows]


def _to_step(row: Row) -> StepRow:
    run_id, attempt, name, position, uses, status, code, detail, begun, ended = row
    return StepRow(
        run_id=run_id,
        attempt=attempt,
        name=name,
        position=position,
        uses=uses,
        status=StepStatus(status),
        exit_code=code,
        detail=detail,
        started_at=None if begun is None else from_micros(begun),
        finished_at=None if ended is None else from_micros(ended),
    )
