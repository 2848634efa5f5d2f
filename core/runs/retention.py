"""Forget runs that were over long ago, and all that they left behind."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, select

from core.database import Prepared, Tx
from core.kernel.clock import to_micros
from core.runs.artifacts import service as artifacts
from core.runs.logs import service as logs
from core.runs.steps.tables import run_steps
from core.runs.tables import run_effects, run_labels, runs
from core.runs.workers import service as workers

AT_ONCE = 100

_OLD = Prepared(
    select(runs.c.id)
    .where(
        runs.c.tenant_id == bindparam("tenant"),
        runs.c.finished_at < bindparam("before"),
    )
    .order_by(runs.c.finished_at)
    .limit(bindparam("most"))
)
_FORGET = {
    table.name: Prepared(
        table.delete().where(
            table.c.tenant_id == bindparam("tenant"), table.c.run_id == bindparam("of")
        )
    )
    for table in (run_labels, run_effects, run_steps)
}
_FORGET_RUN = Prepared(
    runs.delete().where(
        runs.c.tenant_id == bindparam("tenant"), runs.c.id == bindparam("of")
    )
)


def find_expired(tx: Tx, keep: timedelta) -> Sequence[str]:
    """List the ids of runs that ended longer ago than `keep`, at most 100."""
    before = to_micros(tx.now - keep)
    return [row[0] for row in tx.run(_OLD, before=before, most=AT_ONCE)]


def forget(tx: Tx, expired: Sequence[str], *, keep: timedelta) -> None:
    """Forget runs with their logs, steps, effects and artifacts, and lost workers."""
    for run_id in expired:
        logs.purge(tx, run_id)
        artifacts.purge(tx, run_id)
        for statement in _FORGET.values():
            tx.change(statement, of=run_id)
        tx.change(_FORGET_RUN, of=run_id)
    workers.forget(tx, keep)
