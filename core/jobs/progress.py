"""What becomes of a job as its run goes on: it is running, in review, failed, cancelled.

Each function takes the job as it stands and changes nothing when that has been done, or
when somebody ended the job meanwhile: the news of a run may come late.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.database import Tx
from core.events.service import append
from core.jobs import journal
from core.jobs.model import STEP, WORKING, Format, Job, JobStatus
from core.jobs.variants import store as variants
from core.jobs.variants.model import Variant
from core.kernel.ids import VariantId
from core.kernel.jsons import Json
from core.providers.model import (
    BEST_SCORE,
    MOST_BODY_CHARS,
    MOST_COST_MICROS,
    MOST_DRAFTS,
    Draft,
    settled,
    storable,
)
from core.runs.model import Run

_REASON_LIMIT = 500
_NAME_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drafts:
    """What a run's result says was written."""

    provider: str
    model: str
    format: Format
    cost_micros: int
    texts: tuple[Draft, ...]


def begin(tx: Tx, job: Job) -> Job:
    """Note that a worker took the run."""
    if job.status is not JobStatus.QUEUED:
        return job
    running = journal.move(tx, job, JobStatus.RUNNING)
    append(tx, "job_started", target=job.id, run=job.run_id)
    return running


def complete(tx: Tx, job: Job, run: Run) -> Job:
    """Keep the variants that a run wrote, once, and open the review.

    Shape:  a result without a usable draft fails the job.
    """
    if job.status not in WORKING:
        return job
    drafts = _read(job, run)
    if drafts is None or not drafts.texts:
        return fail(tx, job, "the run gave no variants")
    made = [_add(tx, job, drafts, at) for at in range(len(drafts.texts))]
    opened = journal.move(tx, begin(tx, job), JobStatus.REVIEW)
    append(
        tx,
        "job_completed",
        target=job.id,
        run=job.run_id,
        variants=[each.id for each in made],
        cost_micros=drafts.cost_micros,
    )
    return opened


def fail(tx: Tx, job: Job, reason: str) -> Job:
    """Note that nothing will come of the run."""
    if job.status not in WORKING:
        return job
    failed = journal.move(tx, job, JobStatus.FAILED, reason=reason[:_REASON_LIMIT])
    append(tx, "job_failed", target=job.id, run=job.run_id, reason=failed.reason)
    return failed


def abandon(tx: Tx, job: Job, reason: str) -> Job:
    """Note that somebody cancelled the run, and the job with it."""
    if job.status not in WORKING:
        return job
    ended = journal.move(tx, job, JobStatus.CANCELLED, reason=reason[:_REASON_LIMIT])
    append(tx, "job_cancelled", target=job.id, reason=ended.reason)
    return ended


def _add(tx: Tx, job: Job, drafts: _Drafts, at: int) -> Variant:
    draft = drafts.texts[at]
    share, rest = divmod(drafts.cost_micros, len(drafts.texts))
    variant = Variant(
        id=VariantId(tx.new_id("V")),
        job_id=job.id,
        position=at + 1,
        title=draft.title,
        body=draft.body,
        format=drafts.format,
        provider=drafts.provider,
        model=drafts.model,
        score=draft.score,
        cost_micros=share + (rest if at == 0 else 0),
        created_at=tx.now,
    )
    variants.add(tx, variant)
    return variant


def _read(job: Job, run: Run) -> _Drafts | None:
    """Read the drafts out of a run's result; a worker may report anything."""
    result = _result_of(run.result)
    listed = result.get("drafts")
    if not isinstance(listed, list):
        return None
    texts = [settled(_draft(each), job.title) for each in listed[:MOST_DRAFTS]]
    usable = tuple(
        each
        for each in texts
        if each.body.strip() and len(each.body) <= MOST_BODY_CHARS
    )
    kind = result.get("format")
    return _Drafts(
        provider=storable(str(result.get("provider", "")))[:_NAME_LIMIT],
        model=storable(str(result.get("model", "")))[:_NAME_LIMIT],
        format=Format(kind) if kind in set(Format) else Format.MD,
        cost_micros=_whole(result.get("cost_micros"), MOST_COST_MICROS),
        texts=usable,
    )


def _draft(told: Any) -> Draft:
    if not isinstance(told, dict):
        return Draft(title="", body="")
    title, body = told.get("title"), told.get("body")
    return Draft(
        title=title if isinstance(title, str) else "",
        body=body if isinstance(body, str) else "",
        score=_whole(told.get("score"), BEST_SCORE),
    )


def _result_of(result: Mapping[str, Json]) -> Mapping[str, Any]:
    """Find the step's own result; a worker from outside may give it as the run's."""
    nested = result.get(STEP)
    return nested if isinstance(nested, dict) else result


def _whole(value: Any, most: int) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return min(max(0, value), most) if is_number else 0
