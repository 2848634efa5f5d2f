"""Queries over jobs."""

from collections.abc import Mapping, Sequence
from functools import cache

import orjson
from sqlalchemy import ColumnElement, bindparam

from core.database import Prepared, Row, Tx
from core.jobs.model import Job, JobFilter, JobStatus
from core.jobs.tables import jobs
from core.kernel.clock import from_micros, to_micros
from core.kernel.ids import JobId, number_of
from core.kernel.jsons import canonical_json

_TABLE = jobs.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = jobs.select().with_only_columns(
    _TABLE.id,
    _TABLE.title,
    _TABLE.description,
    _TABLE.preset,
    _TABLE.input,
    _TABLE.status,
    _TABLE.reason,
    _TABLE.run_id,
    _TABLE.accepted,
    _TABLE.idempotency_key,
    _TABLE.actor_id,
    _TABLE.actor,
    _TABLE.created_at,
    _TABLE.changed_at,
    _TABLE.finished_at,
    _TABLE.version,
)
_BY_ID = Prepared(_ALL.where(_OWN, _TABLE.id == bindparam("of")))
_BY_KEY = Prepared(
    _ALL.where(
        _OWN,
        _TABLE.actor_id == bindparam("whose"),
        _TABLE.idempotency_key == bindparam("key"),
    )
)
_UPDATE = Prepared(
    jobs.update()
    .where(_OWN, _TABLE.id == bindparam("of"))
    .values(
        status=bindparam("now_is"),
        reason=bindparam("why"),
        run_id=bindparam("run"),
        accepted=bindparam("variant"),
        changed_at=bindparam("at"),
        finished_at=bindparam("ended"),
        version=bindparam("counted"),
    )
)


def add(tx: Tx, job: Job) -> None:
    """Store a new job; the index on the key lets no second one in."""
    tx.insert(
        jobs,
        {
            "id": job.id,
            "number": number_of(job.id, "J"),
            "title": job.title,
            "description": job.description,
            "preset": job.preset,
            "input": canonical_json(dict(job.input)).decode(),
            "status": job.status.value,
            "reason": job.reason,
            "run_id": job.run_id,
            "accepted": job.accepted,
            "idempotency_key": job.idempotency_key,
            "actor_id": job.actor_id,
            "actor": job.actor,
            "changed_at": to_micros(job.changed_at),
            "finished_at": None,
        },
    )


def update(tx: Tx, job: Job) -> None:
    """Store a job's present state over its former one; what was asked never changes."""
    tx.change(
        _UPDATE,
        of=job.id,
        now_is=job.status.value,
        why=job.reason,
        run=job.run_id,
        variant=job.accepted,
        at=to_micros(job.changed_at),
        ended=to_micros(job.finished_at) if job.finished_at else None,
        counted=job.version,
    )


def find(tx: Tx, job_id: str) -> Job | None:
    """Find a job by its id; a text of another form is the id of none."""
    if number_of(job_id, "J") is None:
        return None
    rows = tx.run(_BY_ID, of=job_id)
    return _to_job(rows[0]) if rows else None


def find_by_key(tx: Tx, key: str, *, actor_id: str) -> Job | None:
    """Find the job that somebody asked for with this key."""
    rows = tx.run(_BY_KEY, whose=actor_id, key=key)
    return _to_job(rows[0]) if rows else None


def list_before(
    tx: Tx, number: int | None, wanted: JobFilter, *, most: int
) -> Sequence[Job]:
    """List jobs numbered below `number` (None: all), the newest first."""
    values = _values(number, wanted)
    rows = tx.run(_listing(frozenset(values)), most=most, **values)
    return [_to_job(row) for row in rows]


_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "below": _TABLE.number < bindparam("below"),
    "status": _TABLE.status == bindparam("status"),
    "preset": _TABLE.preset == bindparam("preset"),
    "actor": _TABLE.actor == bindparam("actor"),
    "since": _TABLE.changed_at >= bindparam("since"),
    "until": _TABLE.changed_at < bindparam("until"),
}


@cache
def _listing(conditions: frozenset[str]) -> Prepared:
    """Prepare the list under these conditions, once for each set of them."""
    chosen = [_CONDITIONS[name] for name in sorted(conditions)]
    return Prepared(
        _ALL.where(_OWN, *chosen)
        .order_by(_TABLE.number.desc())
        .limit(bindparam("most"))
    )


def _values(number: int | None, wanted: JobFilter) -> dict[str, object]:
    """Name the conditions that a filter sets, with their values."""
    values: dict[str, object | None] = {
        "below": number,
        "status": wanted.status.value if wanted.status else None,
        "preset": wanted.preset or None,
        "actor": wanted.actor or None,
        "since": to_micros(wanted.since) if wanted.since else None,
        "until": to_micros(wanted.until) if wanted.until else None,
    }
    return {name: value for name, value in values.items() if value is not None}


def _to_job(row: Row) -> Job:
    (
        job_id,
        title,
        description,
        preset,
        given,
        status,
        reason,
        run_id,
        accepted,
        idempotency_key,
        actor_id,
        actor,
        created_at,
        changed_at,
        finished_at,
        version,
    ) = row
    return Job(
        id=JobId(job_id),
        title=title,
        description=description,
        preset=preset,
        input=orjson.loads(given),
        status=JobStatus(status),
        reason=reason,
        run_id=run_id,
        accepted=accepted,
        idempotency_key=idempotency_key,
        actor_id=actor_id,
        actor=actor,
        created_at=from_micros(created_at),
        changed_at=from_micros(changed_at),
        finished_at=None if finished_at is None else from_micros(finished_at),
        version=version,
    )
