"""Commands over jobs: what is wanted becomes variants."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.job_views import (
    JobPageData,
    JobShownData,
    facts_of,
    next_steps,
    progress_of,
    shown_with_run,
    tag_of,
)
from commands.registry import Command, command
from commands.run_start import reply_to_of
from commands.schema import Doc, Person, Ref
from core.database import Tx
from core.jobs import service as jobs
from core.jobs.model import (
    COLLECTION,
    WORKING,
    Format,
    Job,
    JobFilter,
    JobStatus,
    NewJob,
)
from core.jobs.variants import service as variants
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply, ReplyStatus, Text

JobRef = Annotated[str, Ref("J")]


def _status_of(tx: Tx, reference: str) -> str:
    """What consent to a cancellation is bound to: where the job stands."""
    return jobs.get_(tx, reference).status.value


@command(
    "job create",
    scope="jobs:write",
    danger="write",
    http="POST /jobs",
    status=202,
    result=JobShownData,
    examples=[
        'job create "Release notes" --preset changelog',
        'job create "Notes 1.2" --preset release-notes --input {"version":"1.2"}',
    ],
)
def create(
    ctx: Context,
    title: Annotated[str, Doc("What is wanted, in one line.")] = "",
    *,
    name: Annotated[str, Doc("The same as title.")] = "",
    description: Annotated[str, Doc("Everything else there is to say.")] = "",
    preset: Annotated[str, Doc("Where it begins; see preset list.")] = "",
    input: Annotated[
        dict[str, Any] | None, Doc("What is put into the preset's prompt.")
    ] = None,
    variants: Annotated[int, Doc("How many, 1 to 8; 0 as the preset says.")] = 0,
    format: Annotated[Format | None, Doc("What the texts are.")] = None,
    lane: Annotated[Lane, Doc("The queue that its run stands in.")] = Lane.C,
    idempotency_key: Annotated[
        str, Doc("The same key of yours gives the same job.")
    ] = "",
) -> Reply:
    """Ask for something to be made: a run writes variants, you accept one."""
    new = NewJob(
        title=_title(title, name),
        description=description,
        preset=preset,
        input=input or {},
        variants=variants,
        format=format,
        lane=lane,
        idempotency_key=idempotency_key,
        reply_to=reply_to_of(ctx),
    )
    return _begun(ctx.tx, jobs.create(ctx.tx, new))


@command(
    "job list",
    scope="jobs:read",
    http="GET /jobs",
    result=JobPageData,
    examples=["job list --status review"],
)
def list_(
    ctx: Context,
    *,
    status: Annotated[JobStatus | None, Doc("Only jobs that stand here.")] = None,
    preset: Annotated[str, Doc("Only jobs that began with this preset.")] = "",
    by: Annotated[str, Person(), Doc("Only jobs that this person asked for.")] = "",
    since: Annotated[datetime | None, Doc("Changed at or after this moment.")] = None,
    until: Annotated[datetime | None, Doc("Changed before this moment.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List jobs, the newest first."""
    wanted = JobFilter(status=status, preset=preset, actor=by, since=since, until=until)
    page = jobs.list_(ctx.tx, wanted, limit=limit, cursor=cursor)
    items = [each.tagged for each in page.items]
    data: dict[str, Json] = {
        "items": [*items],
        "next": page.next,
        "etag": tag_of(ctx.tx, items, COLLECTION),
    }
    if not items:
        create_one = blocks.actions(("Create the first", 'job create "…"'))
        return Reply(summary="No jobs", blocks=(create_one,), data=data)
    return Reply(
        summary=blocks.count(len(items), "job") + (" and more" if page.next else ""),
        blocks=(
            blocks.table(
                ("id", "title", "status", "preset", "accepted", "by", "age"),
                [_row(ctx, each) for each in page.items],
                next=page.next,
            ),
        ),
        data=data,
    )


@command(
    "job show",
    scope="jobs:read",
    http="GET /jobs/{job}",
    target="job",
    result=JobShownData,
    examples=["job show J-31", "J-31"],
)
def show(ctx: Context, job: JobRef) -> Reply:
    """Show one job: where it stands, its run, and its variants."""
    return _shown(ctx.tx, jobs.get_(ctx.tx, job))


@command(
    "job cancel",
    scope="jobs:write",
    danger="risky",
    http="POST /jobs/{job}/cancel",
    if_match="optional",
    target="job",
    fingerprint=_status_of,
    result=JobShownData,
    examples=['job cancel J-31 --reason "not needed any more"', "cancel J-31"],
)
def cancel(ctx: Context, job: JobRef) -> Reply:
    """End a job that was not exported, and the run that is at work for it."""
    ended = jobs.cancel(
        ctx.tx, job, reason=ctx.options.reason, if_match=ctx.options.if_match
    )
    return Reply(
        summary=f"Cancelled {ended.id}",
        blocks=(facts_of(ended), next_steps(ended)),
        data=shown_with_run(ctx.tx, ended),
    )


COMMANDS: Sequence[Command] = (create, list_, show, cancel)


def standing(tx: Tx, job_id: str) -> Reply:
    """Show a job to whoever waits for its variants; RUNNING until they are there.

    Raises: NotFound.
    """
    job = jobs.get_(tx, job_id)
    return replace(_shown(tx, job), status=_goes_on(job))


def _begun(tx: Tx, job: Job) -> Reply:
    """Answer whoever asked for a job: it goes on, unless it was there already."""
    return Reply(
        summary=f"{job.id} {job.status}",
        status=_goes_on(job),
        blocks=(
            blocks.fields(("title", job.title), ("preset", job.preset)),
            *progress_of(job, jobs.run_of(tx, job)),
            next_steps(job),
        ),
        data=shown_with_run(tx, job),
    )


def _shown(tx: Tx, job: Job) -> Reply:
    """Show a job whole: where it stands, its run, and its variants."""
    made = variants.list_(tx, job.id)
    rows = [(each.id, each.title, each.score, each.status) for each in made]
    listed = (blocks.table(("id", "title", "score", "status"), rows),) if made else ()
    described = (Text(md=job.description),) if job.description else ()
    return Reply(
        summary=f"{job.id} {job.title}: {job.status}"[:150],
        blocks=(
            facts_of(job),
            *described,
            *listed,
            *progress_of(job, jobs.run_of(tx, job)),
            next_steps(job),
        ),
        data=shown_with_run(tx, job),
    )


def _goes_on(job: Job) -> ReplyStatus:
    return ReplyStatus.RUNNING if job.status in WORKING else ReplyStatus.OK


def _title(title: str, name: str) -> str:
    """Read what a job is called; older clients say `name`.

    Raises: InvalidArgument when neither is given, or both are and differ.
    """
    if title and name and title != name:
        raise InvalidArgument(
            "title and name say different things", fix=["give title"], argument="name"
        )
    if not (title or name):
        raise InvalidArgument(
            "a job needs a title",
            fix=['job create "Release notes"', 'send {"title": "Release notes"}'],
            argument="title",
        )
    return title or name


def _row(ctx: Context, job: Job) -> Sequence[object]:
    return (
        job.id,
        job.title,
        job.status,
        job.preset,
        job.accepted,
        job.actor,
        blocks.age(job.created_at, ctx.tx.now),
    )
