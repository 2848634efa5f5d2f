"""Commands over artifacts: what runs and exports left behind."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.artifact_views import (
    ArtifactListData,
    ArtifactTextData,
    code_of,
    size,
    state_of,
    table_of,
)
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.kernel.problems import MissingScope
from core.kernel.reply import Link, Reply
from core.runs import service as runs
from core.runs.artifacts import service as artifacts
from core.runs.artifacts.model import (
    INLINE_BYTES,
    Artifact,
    require_any,
    scope_of,
)

Subject = Annotated[str, Ref("R"), Doc("The run, such as R-7.")]


@command(
    "artifact list",
    scope="runs:read",
    http="GET /v1/runs/{run}/artifacts",
    target="run",
    result=ArtifactListData,
    examples=["artifact list R-7"],
)
def list_(ctx: Context, run: Subject) -> Reply:
    """List what a run left behind, in the order it came."""
    runs.get_(ctx.tx, run)
    found = artifacts.list_of(ctx.tx, run)
    if not found:
        return blocks.empty(
            f"{run} left nothing behind", ("The run", f"run show {run}")
        )
    return Reply(
        summary=f"{run} has {blocks.count(len(found), 'artifact')}",
        blocks=(table_of(found),),
        data={"items": [artifacts.view(each) for each in found], "next": None},
    )


@command(
    "artifact show",
    http="GET /v1/artifacts/{artifact}",
    target="artifact",
    result=ArtifactTextData,
    examples=["artifact show A-3"],
)
def show(ctx: Context, artifact: Annotated[str, Ref("A")]) -> Reply:
    """Show an artifact, and its content if that is a short text."""
    require_any(ctx.principal)
    found = artifacts.get_(ctx.tx, artifact)
    needed = scope_of(found.subject)
    if not ctx.principal.may(needed):
        raise MissingScope(needed, who=ctx.principal.name)
    text = _short_text(ctx, found)
    return Reply(
        summary=f"{found.id} {found.name} of {found.subject}"[:150],
        blocks=(
            blocks.fields(
                ("kind", found.kind),
                ("size", size(found.size_bytes)),
                ("state", state_of(found)),
                ("sha256", found.sha256),
                ("attempt", found.attempt or ""),
            ),
            *((code_of(found, text),) if text else ()),
            *_links(found),
        ),
        data={**artifacts.view(found), "content": text},
    )


COMMANDS: Sequence[Command] = (list_, show)


def _short_text(ctx: Context, artifact: Artifact) -> str:
    is_short = artifact.size_bytes <= INLINE_BYTES and artifact.is_textual
    if not (artifact.is_ready and is_short):
        return ""
    return b"".join(artifacts.read(ctx.tx, artifact)).decode(errors="replace")


def _links(artifact: Artifact) -> Sequence[Link]:
    return (
        (Link(label="Download", url=str(artifacts.view(artifact)["url"])),)
        if artifact.is_ready
        else ()
    )
