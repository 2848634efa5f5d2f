"""Create, read, list and cancel jobs; progress.py follows what their runs make of them."""

from collections.abc import Mapping
from datetime import timedelta

from core.database import Tx
from core.events.service import append
from core.jobs import journal, store
from core.jobs.model import (
    COLLECTION,
    KIND,
    STEP,
    TERMINAL,
    USES,
    WORKING,
    Format,
    Job,
    JobFilter,
    JobStatus,
    NewJob,
)
from core.jobs.presets import service as presets
from core.jobs.presets.model import (
    DEFAULT_VARIANTS,
    Preset,
    require_count,
    require_input,
)
from core.jobs.presets.prompt import fill_prompt
from core.jobs.tools import service as tools
from core.jobs.tools.model import Tool
from core.kernel.ids import JobId, number_of
from core.kernel.jsons import Json, canonical_json
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import IllegalMove, KeyReused
from core.kernel.texts import require_line, require_text
from core.providers.model import MOCK
from core.runs import controls
from core.runs import service as runs
from core.runs.model import NewRun, Run, Step

TITLE_LIMIT = 200
DESCRIPTION_LIMIT = 10_000

_KEY_LIMIT = 200
_NAME_LIMIT = 100
_REASON_LIMIT = 500
_STEP_TIMEOUT = timedelta(minutes=5)
_EVERYTHING = JobFilter()
_BARE = Preset(name="", prompt="", variants=DEFAULT_VARIANTS)


def create(tx: Tx, new: NewJob, *, provider: str = MOCK) -> Job:
    """Ask for something to be made, and queue the run that makes it, in one unit.

    Shape:  the same idempotency key of the same person gives the job that there is.
    Raises: InvalidArgument, NotFound for the preset, Conflict for a tool of it that is
            gone or switched off, KeyReused when the key belongs to something else.
    """
    _check(new)
    known = _known(tx, new)
    if known is not None:
        return known
    preset = presets.get_(tx, new.preset) if new.preset else _BARE
    values = require_input({**preset.input, **new.input})
    job_id = JobId(tx.new_id("J"))
    given = _given(tx, new, preset, values)
    run = runs.create(tx, _run_of(new, job_id, {**given, "provider": provider}))
    job = Job(
        id=job_id,
        title=new.title,
        description=new.description,
        preset=new.preset,
        input=values,
        run_id=run.id,
        idempotency_key=new.idempotency_key,
        actor_id=tx.principal.id,
        actor=tx.principal.name,
        created_at=tx.now,
        changed_at=tx.now,
    )
    store.add(tx, job)
    tx.bump(COLLECTION)
    append(
        tx, "job_created", target=job.id, title=job.title, preset=job.preset, run=run.id
    )
    return job


def get_(tx: Tx, job_id: str) -> Job:
    """Get a job.

    Raises: NotFound.
    """
    return journal.get_(tx, job_id)


def find(tx: Tx, job_id: str) -> Job | None:
    """Find a job; None when there is none."""
    return store.find(tx, job_id)


def run_of(tx: Tx, job: Job) -> Run | None:
    """Find the run that makes a job's variants; None when it was forgotten."""
    return runs.find(tx, job.run_id)


def list_(
    tx: Tx, wanted: JobFilter = _EVERYTHING, *, limit: int = 50, cursor: str = ""
) -> Page[Job]:
    """List jobs, the newest first; pages are stable under inserts.

    Raises: InvalidArgument, InvalidQuery.
    """
    size = page_size(limit)
    require_line("preset", wanted.preset, limit=_NAME_LIMIT, least=0)
    require_line("by", wanted.actor, limit=_NAME_LIMIT, least=0)
    below = parse_cursor(cursor) if cursor else None
    found = store.list_before(tx, below, wanted, most=size + 1)
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], render_cursor(number_of(found[size - 1].id, "J") or 0))


def cancel(tx: Tx, job_id: str, *, reason: str = "", if_match: str = "") -> Job:
    """End a job that was not exported, and the run that is at work for it.

    Shape:  one that is cancelled already stays as it is.
    Raises: NotFound, StaleVersion, IllegalMove when it is exported or failed.
    """
    job = get_(tx, job_id)
    journal.require_match(job.id, job.etag, if_match)
    require_text("reason", reason, limit=_REASON_LIMIT)
    if job.status is JobStatus.CANCELLED:
        return job
    if job.status in TERMINAL:
        raise IllegalMove(
            f"{job.id} is {job.status}: there is nothing left to cancel",
            fix=[f"job show {job.id}"],
            status=job.status.value,
        )
    if job.status in WORKING:
        _cancel_run(tx, job, reason or f"{job.id} was cancelled")
    cancelled = journal.move(tx, job, JobStatus.CANCELLED, reason=reason)
    append(tx, "job_cancelled", target=job.id, reason=reason)
    return cancelled


def _cancel_run(tx: Tx, job: Job, reason: str) -> None:
    run = runs.find(tx, job.run_id)
    if run is not None and not run.is_terminal:
        controls.cancel(tx, run.id, reason=reason)


def _check(new: NewJob) -> None:
    require_line("title", new.title, limit=TITLE_LIMIT)
    require_text("description", new.description, limit=DESCRIPTION_LIMIT)
    require_line("idempotency_key", new.idempotency_key, limit=_KEY_LIMIT, least=0)
    if new.variants:
        require_count(new.variants)


def _known(tx: Tx, new: NewJob) -> Job | None:
    """Find the job that was made under the same key.

    Raises: KeyReused when something else was asked for under it.
    """
    if not new.idempotency_key:
        return None
    job = store.find_by_key(tx, new.idempotency_key, actor_id=tx.principal.id)
    if job is None:
        return None
    asked = (new.title, new.description, new.preset)
    is_same = asked == (job.title, job.description, job.preset)
    # The stored input has the preset's own values too.
    if not is_same or any(job.input.get(k) != new.input[k] for k in new.input):
        raise KeyReused(
            f"the key {new.idempotency_key} belongs to {job.id}, which is another job",
            fix=[f"job show {job.id}", "use another key"],
        )
    return job


def _given(
    tx: Tx, new: NewJob, preset: Preset, values: Mapping[str, Json]
) -> dict[str, Json]:
    """Write down all that the provider is asked, so that the run needs nothing else.

    Raises: as `create`.
    """
    return {
        "title": new.title,
        "prompt": _prompt(new, preset, values),
        "input": dict(values),
        "count": new.variants or preset.variants,
        "format": (new.format or preset.format or Format.MD).value,
        "tools": [
            _offer(each) for each in tools.offered(tx, preset.tools, preset=preset.name)
        ],
    }


def _prompt(new: NewJob, preset: Preset, values: Mapping[str, Json]) -> str:
    if preset.prompt:
        subject: dict[str, Json] = {
            "title": new.title,
            "description": new.description,
            "input": dict(values),
        }
        return fill_prompt(preset.prompt, subject)
    told = [new.title, new.description]
    if values:
        told.append(canonical_json(dict(values)).decode())
    return "\n\n".join(part for part in told if part.strip())


def _offer(tool: Tool) -> dict[str, Json]:
    return {
        "name": tool.name,
        "description": tool.description,
        "kind": tool.kind.value,
        "parameters": dict(tool.parameters),
    }


def _run_of(new: NewJob, job_id: JobId, given: Mapping[str, Json]) -> NewRun:
    step = Step(name=STEP, uses=USES, given=given, timeout=_STEP_TIMEOUT)
    return NewRun(
        kind=KIND,
        job=job_id,
        lane=new.lane,
        input={"job": job_id, "title": new.title},
        steps=(step,),
        reply_to=new.reply_to,
    )
