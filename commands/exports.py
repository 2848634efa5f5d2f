"""Commands over exports: accepted variants as files to take away."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from commands import blocks
from commands.context import Context
from commands.job_views import ExportData, ExportPageData, size_of
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.jobs.exports import service as exports
from core.jobs.exports.model import (
    LINK_KIND,
    LINK_TTL,
    Export,
    ExportFilter,
    ExportFormat,
    view,
)
from core.kernel.clock import to_iso
from core.kernel.reply import Link as LinkTo
from core.kernel.reply import Reply
from core.secrets.links import Link

JobRef = Annotated[str, Ref("J")]
VariantRef = Annotated[str, Ref("V")]
ExportRef = Annotated[str, Ref("X")]


class Signer(Protocol):
    """Makes addresses by which whoever has one may fetch one thing for a while."""

    def url_of(self, link: Link) -> str:
        """Write the whole address."""


def export_commands(signer: Signer) -> Sequence[Command]:
    """Build the commands whose answers carry signed links."""

    @command(
        "export create",
        scope="jobs:write",
        danger="write",
        http="POST /export/{variant}",
        file="artifact_id",
        status=201,
        result=ExportData,
        target="variant",
        examples=["export create V-71 --format zip"],
    )
    def create(
        ctx: Context,
        variant: VariantRef,
        *,
        format: Annotated[ExportFormat, Doc("zip, md or json.")] = ExportFormat.ZIP,
    ) -> Reply:
        """Make a file of an accepted variant; the answer has a link to it."""
        made = exports.create(ctx.tx, variant, format)
        return _with_link(ctx, made, signer)

    @command(
        "export show",
        scope="jobs:read",
        http="GET /exports/{export}",
        result=ExportData,
        target="export",
        examples=["export show X-9", "X-9"],
    )
    def show(ctx: Context, export: ExportRef) -> Reply:
        """Show one export, with a new link to its file."""
        return _with_link(ctx, exports.get_(ctx.tx, export), signer)

    return (create, list_, show)


@command(
    "export list",
    scope="jobs:read",
    http="GET /exports",
    result=ExportPageData,
    examples=["export list", "export list --job J-31"],
)
def list_(
    ctx: Context,
    *,
    job: Annotated[JobRef, Doc("Only exports of this job.")] = "",
    variant: Annotated[VariantRef, Doc("Only exports of this variant.")] = "",
    format: Annotated[ExportFormat | None, Doc("Only files of this kind.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List exports, the newest first."""
    wanted = ExportFilter(job=job, variant=variant, format=format)
    page = exports.list_(ctx.tx, wanted, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No exports", ("Jobs", "job list --status accepted"))
    shown = [view(each) for each in page.items]
    return Reply(
        summary=blocks.count(len(shown), "export") + (" and more" if page.next else ""),
        blocks=(
            blocks.table(
                ("id", "name", "size", "variant", "job", "by", "age"),
                [
                    (
                        each.id,
                        each.name,
                        size_of(each.size_bytes),
                        each.variant_id,
                        each.job_id,
                        each.actor,
                        blocks.age(each.created_at, ctx.tx.now),
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [*shown], "next": page.next},
    )


def _with_link(ctx: Context, export: Export, signer: Signer) -> Reply:
    until = ctx.tx.now + LINK_TTL
    link = Link(kind=LINK_KIND, tenant=ctx.tx.tenant, subject=export.id, until=until)
    data = {
        **view(export),
        "url": signer.url_of(link),
        "url_until": to_iso(until),
    }
    return Reply(
        summary=f"{export.id} ready, {size_of(export.size_bytes)}",
        blocks=(
            blocks.fields(
                ("file", data["name"]),
                ("sha256", export.sha256),
                ("link good until", data["url_until"]),
            ),
            LinkTo(label=f"Download {data['name']}", url=str(data["url"])),
            blocks.actions(
                ("Open", f"export show {export.id}"),
                ("Job", f"job show {export.job_id}"),
            ),
        ),
        data=data,
    )
