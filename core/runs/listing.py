"""Lists of runs, by whatever people ask for."""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Select, or_, select

from core.database import Row, Tx
from core.kernel.clock import to_micros
from core.runs.model import Run, RunFilter, RunStatus
from core.runs.store import COLUMNS, to_run
from core.runs.tables import run_labels, runs

_TABLE = runs.c
_DEAD = (RunStatus.FAILED.value, RunStatus.TIMED_OUT.value)


def list_before(tx: Tx, number: int, wanted: RunFilter, *, most: int) -> Sequence[Run]:
    """List wanted runs below a number, the newest first; 0 means from the newest."""
    query = _wanted(tx, wanted).order_by(_TABLE.number.desc()).limit(most)
    if number:
        query = query.where(_TABLE.number < number)
    return [to_run(tuple(row)) for row in tx.execute(query)]


def _wanted(tx: Tx, wanted: RunFilter) -> Select[*tuple[Row, ...]]:
    query = select(*COLUMNS).where(_TABLE.tenant_id == tx.tenant)
    return query.where(*_conditions(tx, wanted))


def _conditions(tx: Tx, wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.statuses:
        yield _TABLE.status.in_(sorted(wanted.statuses))
    if wanted.is_dead:
        yield _TABLE.status.in_(_DEAD)
    for name in ("kind", "template", "worker", "job", "task", "parent", "reason"):
        if value := getattr(wanted, name):
            yield _TABLE[name] == value
    yield from _rarer_conditions(tx, wanted)


def _rarer_conditions(tx: Tx, wanted: RunFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.lane is not None:
        yield _TABLE.lane == wanted.lane.value
    if wanted.actor:
        yield or_(_TABLE.actor_id == wanted.actor, _TABLE.actor == wanted.actor)
    if wanted.label:
        yield _has_label(tx, wanted.label)
    if wanted.since is not None:
        yield _TABLE.created_at >= to_micros(wanted.since)
    if wanted.until is not None:
        yield _TABLE.created_at <= to_micros(wanted.until)


def _has_label(tx: Tx, label: str) -> ColumnElement[bool]:
    return (
        select(run_labels.c.run_id)
        .where(
            run_labels.c.tenant_id == tx.tenant,
            run_labels.c.run_id == _TABLE.id,
            run_labels.c.label == label,
        )
        .exists()
    )
