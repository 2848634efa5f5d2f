"""How a job changes: its row, its version and the collection's, together."""

from dataclasses import replace

from core.database import Tx
from core.jobs import store
from core.jobs.model import (
    COLLECTION,
    TERMINAL,
    Job,
    JobStatus,
    require_move,
    unknown,
)
from core.kernel.etag import is_match
from core.kernel.problems import StaleVersion


def get_(tx: Tx, job_id: str) -> Job:
    """Get a job.

    Raises: NotFound.
    """
    job = store.find(tx, job_id)
    if job is None:
        raise unknown(job_id)
    return job


def move(tx: Tx, job: Job, to: JobStatus, *, reason: str = "") -> Job:
    """Have a job take a step of the table.

    Raises: IllegalMove.
    """
    require_move(job, to)
    ended = tx.now if to in TERMINAL else None
    return save(tx, replace(job, status=to, reason=reason, finished_at=ended))


def save(tx: Tx, job: Job) -> Job:
    """Store what a job is now, one version further."""
    saved = replace(job, changed_at=tx.now, version=job.version + 1)
    store.update(tx, saved)
    tx.bump(COLLECTION)
    return saved


def require_match(what: str, etag: str, if_match: str) -> None:
    """Let a change pass when its If-Match names the present state; "" always does.

    Raises: StaleVersion with the current tag.
    """
    if if_match and not is_match(if_match, etag):
        raise StaleVersion(what, etag=etag)
