"""Read, edit and accept variants.

A text is edited while its job is in review, and no longer once one is accepted: what was
accepted is what was read. Accepting another moves the acceptance until the job is
exported; taking it back opens the review again.
"""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.jobs import journal
from core.jobs.model import COLLECTION, Job, JobStatus
from core.jobs.variants import store
from core.jobs.variants.model import Variant, require_body, require_title, unknown
from core.kernel.problems import Conflict, IllegalMove

_ACCEPTING = frozenset({JobStatus.REVIEW, JobStatus.ACCEPTED})


def get_(tx: Tx, variant_id: str) -> Variant:
    """Get a variant.

    Raises: NotFound.
    """
    found = store.find(tx, variant_id)
    if found is None:
        raise unknown(variant_id)
    return found


def list_(tx: Tx, job_id: str) -> Sequence[Variant]:
    """List the variants of a job in their order; none while they are being made.

    Raises: NotFound when there is no such job.
    """
    return store.list_of(tx, journal.get_(tx, job_id).id)


def edit(
    tx: Tx,
    variant_id: str,
    *,
    title: str | None = None,
    body: str | None = None,
    if_match: str = "",
) -> Variant:
    """Change what a variant says; equal texts change nothing, not even the version.

    Raises: NotFound, StaleVersion, Conflict unless its job is in review,
            InvalidArgument.
    """
    variant = get_(tx, variant_id)
    journal.require_match(variant.id, variant.etag, if_match)
    edited = replace(
        variant,
        title=variant.title if title is None else require_title(title),
        body=variant.body if body is None else require_body(body),
    )
    if edited == variant:
        return variant
    _require_editable(journal.get_(tx, variant.job_id))
    saved = _save(tx, replace(edited, edited_by=tx.principal.name, edited_at=tx.now))
    append(
        tx,
        "variant_changed",
        target=saved.id,
        job=saved.job_id,
        fields=[
            name
            for name in ("title", "body")
            if getattr(saved, name) != getattr(variant, name)
        ],
    )
    return saved


def accept(tx: Tx, variant_id: str, *, if_match: str = "") -> Variant:
    """Choose a variant for its job; another one that was chosen no longer is.

    Shape:  accepting the accepted one changes nothing.
    Raises: NotFound, StaleVersion, IllegalMove unless its job is in review or accepted.
    """
    variant = get_(tx, variant_id)
    journal.require_match(variant.id, variant.etag, if_match)
    if variant.is_accepted:
        return variant
    job = journal.get_(tx, variant.job_id)
    _require_accepting(job)
    if job.accepted:
        # First, for the index lets no second one be accepted even for a moment.
        _unaccept(tx, get_(tx, job.accepted))
    chosen = _save(
        tx, replace(variant, accepted_by=tx.principal.name, accepted_at=tx.now)
    )
    was = job.accepted
    job = replace(job, accepted=chosen.id)
    if job.status is JobStatus.REVIEW:
        journal.move(tx, job, JobStatus.ACCEPTED)
    else:
        journal.save(tx, job)
    append(tx, "variant_accepted", target=chosen.id, job=chosen.job_id, instead_of=was)
    return chosen


def withdraw(tx: Tx, variant_id: str, *, if_match: str = "") -> Variant:
    """Take the acceptance of a variant back; its job is in review again.

    Shape:  one that is not accepted stays as it is.
    Raises: NotFound, StaleVersion, IllegalMove once the job was exported or cancelled.
    """
    variant = get_(tx, variant_id)
    journal.require_match(variant.id, variant.etag, if_match)
    if not variant.is_accepted:
        return variant
    job = journal.get_(tx, variant.job_id)
    _require_accepting(job)
    opened = _unaccept(tx, variant)
    journal.move(tx, replace(job, accepted=""), JobStatus.REVIEW)
    append(tx, "variant_withdrawn", target=opened.id, job=opened.job_id)
    return opened


def _unaccept(tx: Tx, variant: Variant) -> Variant:
    return _save(tx, replace(variant, accepted_by="", accepted_at=None))


def _save(tx: Tx, variant: Variant) -> Variant:
    saved = replace(variant, version=variant.version + 1)
    store.update(tx, saved)
    tx.bump(COLLECTION)
    return saved


def _require_editable(job: Job) -> None:
    if job.status is JobStatus.ACCEPTED:
        raise Conflict(
            f"{job.id} has an accepted variant, {job.accepted}: texts stay as they were "
            "read",
            fix=[f"variant set {job.accepted} --no-accepted", f"variant list {job.id}"],
        )
    if job.status is not JobStatus.REVIEW:
        raise Conflict(
            f"{job.id} is {job.status}, and its variants stay as they are",
            fix=[f"job show {job.id}"],
        )


def _require_accepting(job: Job) -> None:
    if job.status in _ACCEPTING:
        return
    if job.status is JobStatus.EXPORTED:
        raise IllegalMove(
            f"{job.id} was exported with {job.accepted}, and that is final",
            fix=[f"export list --job {job.id}", f"job show {job.id}"],
            status=job.status.value,
        )
    raise IllegalMove(
        f"{job.id} is {job.status}, and none of its variants can be accepted or not",
        fix=[f"job show {job.id}"],
        status=job.status.value,
    )
