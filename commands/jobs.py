"""Commands over jobs: what is wanted becomes variants."""

from collections.abc import Sequence
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
from commands.schema import Doc, Person, Ref
from core.database import Tx
from core.delivery.outbox.model import lasting
from core.jobs import service as jobs
from core.jobs.model import COLLECTION, Format, Job, JobFilter, JobStatus, NewJob
from core.jobs.variants import service as variants
from core.kernel.jsons import Json
from core.kernel.lanes import Lane
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply, ReplyStatus, Text
from core.runs.model import ReplyTo

JobRef = Annotated[str, Ref("J")]


def _status_of(tx: Tx, reference: str) -> str:
    """What consent to a cancellation is bound to: where the job stands."""
    return jobs.get_(tx, reference).status.value


@command(
    "job create",
    scope="jobs:write",
    danger="write",
    http="POST /jobs",
    status=201,
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
        reply_to=ReplyTo(
            channel=ctx.origin.channel,
            account=ctx.origin.account,
            place=lasting(ctx.origin.reply_to),
        ),
    )
    job = jobs.create(ctx.tx, new)
    is_waited_for = ctx.options.wait is not None and job.status in _GOING_ON
    return standing(ctx, job, is_waited_for=is_waited_for)


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
        "etag": tag_of(ctx, items, COLLECTION),
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
    found = jobs.get_(ctx.tx, job)
    made = variants.list_(ctx.tx, found.id)
    rows = [(each.id, each.title, each.score, each.status) for each in made]
    listed = (blocks.table(("id", "title", "score", "status"), rows),) if made else ()
    described = (Text(md=found.description),) if found.description else ()
    return Reply(
        summary=f"{found.id} {found.title}: {found.status}"[:150],
        blocks=(
            facts_of(found),
            *described,
            *listed,
            *progress_of(found, jobs.run_of(ctx.tx, found)),
            next_steps(found),
        ),
        data=shown_with_run(ctx, found),
    )


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
        data=shown_with_run(ctx, ended),
    )


COMMANDS: Sequence[Command] = (create, list_, show, cancel)

_GOING_ON = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


def standing(ctx: Context, job: Job, *, is_waited_for: bool = False) -> Reply:
    """Tell where a job stands; RUNNING while somebody waits for its variants."""
    return Reply(
        summary=f"{job.id} {job.status}",
        status=ReplyStatus.RUNNING if is_waited_for else ReplyStatus.OK,
        blocks=(
            blocks.fields(("title", job.title), ("preset", job.preset)),
            *progress_of(job, jobs.run_of(ctx.tx, job)),
            next_steps(job),
        ),
        data=shown_with_run(ctx, job),
    )


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
