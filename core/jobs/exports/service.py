"""Make files of accepted variants, and find them again."""

from core.database import Tx
from core.events.service import append
from core.jobs import journal
from core.jobs.exports import store
from core.jobs.exports.content import kind_of, name_of, render
from core.jobs.exports.model import Export, ExportFilter, ExportFormat, unknown
from core.jobs.model import COLLECTION, Job, JobStatus
from core.jobs.variants import service as variants
from core.jobs.variants.model import Variant
from core.kernel.ids import ExportId, number_of
from core.kernel.pages import Page, page_size, parse_cursor, render_cursor
from core.kernel.problems import Conflict
from core.kernel.texts import require_line
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import Artifact

_EVERYTHING = ExportFilter()
_NAME_LIMIT = 40


def create(tx: Tx, variant_id: str, format_: ExportFormat = ExportFormat.ZIP) -> Export:
    """Make a file of the accepted variant of a job; with the first, the job is exported.

    Shape:  each call makes another export; of one variant all of a format are equal.
    Raises: NotFound, Conflict unless the variant is accepted.
    """
    variant = variants.get_(tx, variant_id)
    job = journal.get_(tx, variant.job_id)
    _require_exportable(job, variant)
    export_id = ExportId(tx.new_id("X"))
    artifact = artifacts.put(
        tx,
        subject=export_id,
        name=name_of(variant, format_),
        kind=kind_of(format_),
        content=render(job, variant, format_),
    )
    export = Export(
        id=export_id,
        variant_id=variant.id,
        job_id=job.id,
        format=format_,
        name=artifact.name,
        artifact_id=artifact.id,
        size_bytes=artifact.size_bytes,
        sha256=artifact.sha256,
        actor=tx.principal.name,
        created_at=tx.now,
    )
    store.add(tx, export)
    tx.bump(COLLECTION)
    if job.status is JobStatus.ACCEPTED:
        journal.move(tx, job, JobStatus.EXPORTED)
    append(
        tx,
        "export_created",
        target=export.id,
        job=job.id,
        variant=variant.id,
        format=format_.value,
        size_bytes=export.size_bytes,
    )
    return export


def get_(tx: Tx, export_id: str) -> Export:
    """Get an export.

    Raises: NotFound.
    """
    found = store.find(tx, export_id)
    if found is None:
        raise unknown(export_id)
    return found


def file_of(tx: Tx, export: Export) -> Artifact:
    """Get the file of an export.

    Raises: NotFound when it is not kept any more.
    """
    return artifacts.get_(tx, export.artifact_id)


def list_(
    tx: Tx, wanted: ExportFilter = _EVERYTHING, *, limit: int = 50, cursor: str = ""
) -> Page[Export]:
    """List exports, the newest first; pages are stable under inserts."""
    size = page_size(limit)
    require_line("job", wanted.job, limit=_NAME_LIMIT, least=0)
    require_line("variant", wanted.variant, limit=_NAME_LIMIT, least=0)
    below = parse_cursor(cursor) if cursor else None
    found = store.list_before(tx, below, wanted, most=size + 1)
    if len(found) <= size:
        return Page(found)
    return Page(found[:size], render_cursor(number_of(found[size - 1].id, "X") or 0))


def _require_exportable(job: Job, variant: Variant) -> None:
    if not variant.is_accepted:
        other = f"; {job.accepted} is" if job.accepted else ""
        fix = [f"variant accept {variant.id}"]
        if job.accepted:
            fix.insert(0, f"export create {job.accepted}")
        raise Conflict(f"{variant.id} is not accepted{other}", fix=fix)
    if job.status is JobStatus.CANCELLED:
        raise Conflict(f"{job.id} was cancelled", fix=[f"job show {job.id}"])
