"""Queries over runs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    bindparam,
    func,
    literal_column,
    null,
    select,
)

from core.database import Prepared, Row, Tx
from core.kernel.clock import Micros, from_micros, to_micros
from core.kernel.ids import RunId, number_of
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.runs.codec import (
    parse_error,
    parse_object,
    parse_place,
    parse_progress,
    parse_rule,
    parse_step,
    render,
    render_place,
    render_progress,
    show_error,
    show_rule,
    show_step,
)
from core.runs.model import ACTIVE, Run, RunStatus, Step
from core.runs.tables import run_labels, runs
from core.runs.workers.tables import workers

_TABLE = runs.c
OWN = _TABLE.tenant_id == bindparam("tenant")

# A column for each field, of the same name and in the same order.
_FIELDS = tuple(each.name for each in fields(Run))
COLUMNS = tuple(_TABLE[name] for name in _FIELDS)
_CHANGING = (
    "status",
    "reason",
    "result",
    "error",
    "attempt",
    "available_at",
    "worker",
    "fence",
    "lease_expires_at",
    "heartbeat_at",
    "cancel_requested_at",
    "paused_at",
    "progress",
    "started_at",
    "finished_at",
)
_BY_ID = Prepared(select(*COLUMNS).where(OWN, _TABLE.id == bindparam("of")))
_WITH_OWNER = Prepared(
    select(*COLUMNS, workers.c.owner_id, workers.c.state, workers.c.heartbeat_at)
    .select_from(
        runs.outerjoin(
            workers,
            (workers.c.tenant_id == bindparam("tenant"))
            & (workers.c.name == _TABLE.worker),
        )
    )
    .where(OWN, _TABLE.id == bindparam("of"))
)
_BY_KEY = Prepared(
    select(*COLUMNS).where(
        OWN,
        _TABLE.actor_id == bindparam("whose"),
        _TABLE.idempotency_key == bindparam("key"),
        _TABLE.idempotency_key != literal_column("''"),
    )
)
_SAVE = Prepared(
    runs.update()
    .where(OWN, _TABLE.id == bindparam("of"))
    .values(
        {name: bindparam(f"new_{name}") for name in _CHANGING}
        | {"version": _TABLE.version + literal_column("1")}
    )
)
_SUCCEED = Prepared(
    runs.update()
    .where(
        OWN,
        _TABLE.id == bindparam("of"),
        _TABLE.fence == bindparam("with_fence"),
        literal_column("runs.status IN ('claimed', 'running')"),
        select(workers.c.name)
        .where(
            workers.c.tenant_id == bindparam("tenant"),
            workers.c.name == _TABLE.worker,
            workers.c.owner_id == bindparam("whose"),
            workers.c.heartbeat_at > bindparam("since"),
            workers.c.state != literal_column("'lost'"),
        )
        .exists(),
    )
    .values(
        status=literal_column("'succeeded'"),
        reason=literal_column("''"),
        result=bindparam("new_result"),
        error=literal_column("''"),
        lease_expires_at=null(),
        finished_at=bindparam("now"),
        version=_TABLE.version + literal_column("1"),
    )
    .returning(*COLUMNS)
)
_COUNT = Prepared(
    select(_TABLE.status, func.count()).where(OWN).group_by(_TABLE.status)
)
_ACTIVE: ColumnElement[str] = literal_column(
    "(" + ", ".join(f"'{status.value}'" for status in sorted(ACTIVE)) + ")"
)
_COUNT_ACTIVE = Prepared(
    select(func.count()).where(OWN, _TABLE.status.op("IN")(_ACTIVE))
)


def add(tx: Tx, run: Run) -> None:
    """Store a new run and what labels it asks for."""
    tx.insert(
        runs,
        {
            "id": run.id,
            "number": number_of(run.id, "R"),
            "kind": run.kind,
            "alias": run.alias,
            "template": run.template,
            "template_version": run.template_version,
            "job": run.job,
            "task": run.task,
            "parent": run.parent,
            "lane": run.lane.value,
            "priority": run.priority,
            "precedence": -run.priority,
            "input": render(run.input),
            "steps": render([show_step(step) for step in run.steps]),
            "retry": render(show_rule(run.retry)),
            "deadline_at": _moment(run.deadline_at),
            "ttl_at": _moment(run.ttl_at),
            "concurrency_key": run.concurrency_key,
            "concurrency_limit": run.concurrency_limit,
            "labels": render(sorted(run.labels)),
            "idempotency_key": run.idempotency_key,
            "budget": run.budget,
            "actor_id": run.actor_id,
            "actor": run.actor,
            "reply_to": render_place(run.reply_to),
            "needs_approval": run.needs_approval,
            **_changing(run),
        },
    )
    for label in sorted(run.labels):
        tx.insert(run_labels, {"run_id": run.id, "label": label})


def save(tx: Tx, run: Run) -> None:
    """Store all of a run that can change; its head keeps other writers waiting."""
    values = {f"new_{name}": value for name, value in _changing(run).items()}
    tx.change(_SAVE, of=run.id, **values)


def succeed(
    tx: Tx, run_id: str, *, fence: int, result: Mapping[str, Json], since: Micros
) -> Run | None:
    """End a held run well, as its worker's owner; None if that needs a closer look.

    A compare-and-swap: nothing changes unless the fence is the present one, and the
    worker is the principal's own and was heard of since a moment.
    """
    rows = tx.run(
        _SUCCEED,
        of=run_id,
        with_fence=fence,
        new_result=render(result),
        whose=tx.principal.id,
        since=since,
        now=tx.micros,
    )
    return to_run(rows[0]) if rows else None


def find(tx: Tx, run_id: str) -> Run | None:
    """Find a run by its id; a text of another form is the id of none."""
    if number_of(run_id, "R") is None:
        return None
    rows = tx.run(_BY_ID, of=run_id)
    return to_run(rows[0]) if rows else None


def find_with_owner(tx: Tx, run_id: str) -> tuple[Run, Row] | None:
    """Find a run, and of its worker the owner's id, the state and the heartbeat."""
    if number_of(run_id, "R") is None:
        return None
    rows = tx.run(_WITH_OWNER, of=run_id)
    if not rows:
        return None
    return to_run(rows[0][: len(COLUMNS)]), rows[0][len(COLUMNS) :]


def find_by_key(tx: Tx, actor_id: str, key: str) -> Run | None:
    """Find the run that somebody made with an idempotency key."""
    rows = tx.run(_BY_KEY, whose=actor_id, key=key)
    return to_run(rows[0]) if rows else None


def count_by_status(tx: Tx) -> dict[RunStatus, int]:
    """Count all kept runs, by status."""
    return {RunStatus(status): count for status, count in tx.run(_COUNT)}


def count_active(tx: Tx) -> int:
    """Count the runs that are not over."""
    return int(tx.run(_COUNT_ACTIVE)[0][0])


def to_runs(rows: Iterable[Row]) -> list[Run]:
    """Read runs from rows of `COLUMNS`."""
    return [to_run(row) for row in rows]


def to_run(row: Row) -> Run:
    """Read a run from a row of `COLUMNS`."""
    read = dict(zip(_FIELDS, row, strict=True))
    for name, parse in _READERS.items():
        read[name] = parse(read[name])
    return Run(**read)


def _changing(run: Run) -> dict[str, object]:
    """Render what of a run can change."""
    return {
        "status": run.status.value,
        "reason": run.reason,
        "result": render(run.result),
        "error": render(show_error(run.error)) if run.error else "",
        "attempt": run.attempt,
        "available_at": to_micros(run.available_at),
        "worker": run.worker,
        "fence": run.fence,
        "lease_expires_at": _moment(run.lease_expires_at),
        "heartbeat_at": _moment(run.heartbeat_at),
        "cancel_requested_at": _moment(run.cancel_requested_at),
        "paused_at": _moment(run.paused_at),
        "progress": render_progress(run.progress),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
    }


def _moment(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _at(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)


def _steps(text: str) -> list[Step]:
    return [parse_step(each) for each in orjson.loads(text)]


def _labels(text: str) -> frozenset[str]:
    return frozenset(orjson.loads(text))


# What is stored as something else than what it is read as.
_READERS: Mapping[str, Callable[[Any], object]] = {
    "id": RunId,
    "lane": Lane,
    "status": RunStatus,
    "input": parse_object,
    "steps": _steps,
    "result": parse_object,
    "error": parse_error,
    "retry": parse_rule,
    "labels": _labels,
    "reply_to": parse_place,
    "needs_approval": bool,
    "progress": parse_progress,
    **dict.fromkeys(("available_at", "created_at"), from_micros),
    **dict.fromkeys(
        (
            "deadline_at",
            "ttl_at",
            "lease_expires_at",
            "heartbeat_at",
            "cancel_requested_at",
            "paused_at",
            "started_at",
            "finished_at",
        ),
        _at,
    ),
}
