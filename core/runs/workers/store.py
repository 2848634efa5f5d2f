"""Queries over workers."""

from collections.abc import Sequence
from datetime import datetime

import orjson
from sqlalchemy import bindparam, literal_column

from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros, to_micros
from core.kernel.jsons import canonical_json
from core.kernel.lanes import Lane
from core.runs.tables import HELD, runs
from core.runs.workers.model import Worker, WorkerState
from core.runs.workers.tables import workers

_TABLE = workers.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = workers.select().with_only_columns(
    _TABLE.name,
    _TABLE.host,
    _TABLE.state,
    _TABLE.lanes,
    _TABLE.labels,
    _TABLE.owner_id,
    _TABLE.heartbeat_at,
    _TABLE.created_at,
)
_BY_NAME = Prepared(_ALL.where(_OWN, _TABLE.name == bindparam("of")))
_PAGE = Prepared(
    _ALL.where(_OWN, _TABLE.name > bindparam("after"))
    .order_by(_TABLE.name)
    .limit(bindparam("most"))
)
_PRESENT = Prepared(_ALL.where(_OWN, _TABLE.state != literal_column("'lost'")))
_SILENT = Prepared(
    _ALL.where(
        _OWN,
        literal_column("state IN ('online', 'draining')"),
        _TABLE.heartbeat_at < bindparam("before"),
    ).limit(bindparam("most"))
)
_SAVE = Prepared(
    workers.update()
    .where(_OWN, _TABLE.name == bindparam("of"))
    .values(
        host=bindparam("where"),
        state=bindparam("new_state"),
        lanes=bindparam("takes"),
        labels=bindparam("has"),
        owner_id=bindparam("whose"),
        heartbeat_at=bindparam("heard"),
        version=_TABLE.version + literal_column("1"),
    )
)
_DELETE_OLD = Prepared(
    workers.delete().where(
        _OWN,
        literal_column("state = 'lost'"),
        _TABLE.heartbeat_at < bindparam("before"),
    )
)
_HOLDS = Prepared(
    runs.select()
    .with_only_columns(runs.c.worker, runs.c.id)
    .where(runs.c.tenant_id == bindparam("tenant"), literal_column(f"({HELD})"))
    .order_by(runs.c.number)
)


def add(tx: Tx, worker: Worker) -> None:
    """Store a worker that was not heard of before."""
    tx.insert(
        workers,
        {
            "name": worker.name,
            "host": worker.host,
            "state": worker.state.value,
            "lanes": _render(list(worker.lanes)),
            "labels": _render(sorted(worker.labels)),
            "owner_id": worker.owner_id,
            "heartbeat_at": to_micros(worker.heartbeat_at),
        },
    )


def save(tx: Tx, worker: Worker) -> None:
    """Store what is known of a worker now."""
    tx.change(
        _SAVE,
        of=worker.name,
        where=worker.host,
        new_state=worker.state.value,
        takes=_render(list(worker.lanes)),
        has=_render(sorted(worker.labels)),
        whose=worker.owner_id,
        heard=to_micros(worker.heartbeat_at),
    )


def find(tx: Tx, name: str) -> Worker | None:
    """Find a worker by its name."""
    rows = tx.run(_BY_NAME, of=name)
    return _to_worker(rows[0]) if rows else None


def list_after(tx: Tx, name: str, *, most: int) -> Sequence[Worker]:
    """List workers beyond a name, by name."""
    return [_to_worker(row) for row in tx.run(_PAGE, after=name, most=most)]


def list_present(tx: Tx) -> Sequence[Worker]:
    """List the workers that are not lost."""
    return [_to_worker(row) for row in tx.run(_PRESENT)]


def list_silent(tx: Tx, since: datetime, *, most: int) -> Sequence[Worker]:
    """List present workers that have said nothing since a moment."""
    rows = tx.run(_SILENT, before=to_micros(since), most=most)
    return [_to_worker(row) for row in rows]


def list_holds(tx: Tx) -> dict[str, list[str]]:
    """List the ids of held runs by worker."""
    found: dict[str, list[str]] = {}
    for name, run_id in tx.run(_HOLDS):
        found.setdefault(name, []).append(run_id)
    return found


def forget_lost(tx: Tx, since: datetime) -> int:
    """Remove lost workers that have said nothing since a moment."""
    return tx.change(_DELETE_OLD, before=to_micros(since))


def _render(value: object) -> str:
    return canonical_json(value).decode()


def _to_worker(row: Row) -> Worker:
    name, host, state, lanes, labels, owner_id, heartbeat_at, created_at = row
    return Worker(
        name=name,
        host=host,
        state=WorkerState(state),
        lanes=tuple(Lane(each) for each in orjson.loads(lanes)),
        labels=frozenset(orjson.loads(labels)),
        owner_id=owner_id,
        heartbeat_at=from_micros(heartbeat_at),
        created_at=from_micros(created_at),
    )
