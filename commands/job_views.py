"""The shapes of what commands over jobs, variants and exports answer."""

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from commands import blocks
from commands.render import quote
from core.database import Tx
from core.jobs import service as jobs
from core.jobs.model import TERMINAL, Job, JobStatus
from core.jobs.variants.model import Variant
from core.kernel.clock import to_iso
from core.kernel.etag import digest, entity_tag
from core.kernel.jsons import Json, canonical_json
from core.kernel.reply import Block, Progress
from core.runs.model import Run

_LONGEST_LINE = 1_000


class JobData(TypedDict):
    """A job with its ETag; `accepted` is the id of the accepted variant, "" for none."""

    id: str
    title: str
    description: str
    preset: str
    input: dict[str, Any]
    status: str
    reason: str
    run_id: str
    accepted: str
    created_by: str
    created_at: str
    changed_at: str
    finished_at: str | None
    version: int
    etag: str


class JobShownData(JobData):
    """A job with how its run stands; "" when the run is not kept any more."""

    run_status: str


class JobPageData(TypedDict):
    """A page of jobs, the newest first, with the ETag of all of it."""

    items: list[JobData]
    next: str | None
    etag: str


class VariantData(TypedDict):
    """A variant with its ETag.

    `score` is 0 to 100, `cost_micros` millionths of a dollar; `status` draft, edited or
    accepted.
    """

    id: str
    job_id: str
    position: int
    title: str
    body: str
    format: str
    status: str
    provider: str
    model: str
    score: int
    cost_micros: int
    edited_by: str
    edited_at: str | None
    accepted_by: str
    accepted_at: str | None
    created_at: str
    version: int
    etag: str


class VariantPageData(TypedDict):
    """All variants of a job, in their order."""

    items: list[VariantData]
    next: str | None


class ExportData(TypedDict):
    """An export; whoever has `url` may fetch the file until `url_until`."""

    id: str
    variant_id: str
    job_id: str
    format: str
    name: str
    artifact_id: str
    size_bytes: int
    sha256: str
    created_by: str
    created_at: str
    url: str
    url_until: str


class ExportSummaryData(TypedDict):
    """An export as a list shows it; `export show` has the link to its file."""

    id: str
    variant_id: str
    job_id: str
    format: str
    name: str
    artifact_id: str
    size_bytes: int
    sha256: str
    created_by: str
    created_at: str


class ExportPageData(TypedDict):
    """A page of exports, the newest first."""

    items: list[ExportSummaryData]
    next: str | None


def shown_with_run(tx: Tx, job: Job) -> dict[str, Json]:
    """Show a job as the `data` of a reply, with how its run stands."""
    run = jobs.run_of(tx, job)
    return {**job.tagged, "run_status": run.status.value if run else ""}


def tag_of(tx: Tx, items: list[dict[str, Json]], collection: str) -> str:
    """Make the strong entity tag of a page: what it shows, and the collection's version."""
    told = "\n".join(str(each["etag"]) for each in items)
    return entity_tag(tx.version(collection), digest(told.encode()))


def next_steps(job: Job) -> Block:
    """Offer what is usually done next with a job."""
    shown = ("Variants", f"variant list {job.id}")
    opened = ("Open", f"job show {job.id}")
    match job.status:
        case JobStatus.QUEUED | JobStatus.RUNNING:
            return blocks.actions(opened, ("Cancel", f"job cancel {job.id}"))
        case JobStatus.REVIEW:
            return blocks.actions(shown, opened, ("Cancel", f"job cancel {job.id}"))
        case JobStatus.ACCEPTED:
            return blocks.actions(("Export", f"export create {job.accepted}"), shown)
        case JobStatus.EXPORTED:
            return blocks.actions(("Exports", f"export list --job {job.id}"), shown)
        case JobStatus.FAILED | JobStatus.CANCELLED:
            return blocks.actions(*_again(job), opened)


def _again(job: Job) -> Sequence[tuple[str, str]]:
    """Offer to ask for the same once more, unless that would be a very long line."""
    line = f"job create {quote(job.title)}"
    if job.description:
        line += f" --description {quote(job.description)}"
    if job.preset:
        line += f" --preset {job.preset}"
    if job.input:
        line += f" --input {canonical_json(dict(job.input)).decode()}"
    return [("Ask again", line)] if len(line) <= _LONGEST_LINE else []


def progress_of(job: Job, run: Run | None) -> tuple[Block, ...]:
    """Show how far the run of a job is; nothing once it is over."""
    if run is None or run.is_terminal or job.status in TERMINAL:
        return ()
    far = run.progress
    return (Progress(done=far.done, total=max(far.total, len(run.steps), 1)),)


def facts_of(job: Job) -> Block:
    """Show the fields of a job."""
    return blocks.fields(
        ("status", job.status),
        ("reason", job.reason),
        ("preset", job.preset),
        ("accepted", job.accepted),
        ("run", job.run_id),
        ("created", f"by {job.actor}, {to_iso(job.created_at)}"),
    )


def variant_facts(variant: Variant) -> Block:
    """Show the fields of a variant."""
    return blocks.fields(
        ("job", variant.job_id),
        ("status", variant.status),
        ("score", variant.score),
        ("cost", cost_of(variant.cost_micros)),
        ("by", f"{variant.provider} {variant.model}".strip()),
        ("edited by", variant.edited_by),
        ("accepted by", variant.accepted_by),
    )


def cost_of(micros: int) -> str:
    """Write an amount: `$0.0042`; what is free says so."""
    return f"${micros / 1_000_000:.4f}" if micros else "free"


def size_of(size_bytes: int) -> str:
    """Write a size: `512 B`, `84 KB`, `1.2 MB`."""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1_000))} KB"
    return f"{size_bytes / 1_000_000:.1f} MB"
