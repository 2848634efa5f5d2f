"""Commands over variants: read, edit, and accept one of them."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.job_views import (
    VariantData,
    VariantPageData,
    cost_of,
    variant_facts,
)
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.jobs import service as jobs
from core.jobs.variants import service as variants
from core.jobs.variants.model import Variant
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Actions, Block, Code, Reply, Text, Undo

JobRef = Annotated[str, Ref("J")]
VariantRef = Annotated[str, Ref("V")]


@command(
    "variant list",
    scope="jobs:read",
    http="GET /jobs/{job}/variants",
    result=VariantPageData,
    target="job",
    examples=["variant list J-31"],
)
def list_(ctx: Context, job: JobRef) -> Reply:
    """List the variants of a job, with score, cost and status."""
    found = variants.list_(ctx.tx, job)
    if not found:
        state = jobs.get_(ctx.tx, job).status
        return blocks.empty(
            f"No variants yet: {job} is {state}", ("Open", f"job show {job}")
        )
    rows = [
        (
            each.id,
            each.title,
            each.score,
            cost_of(each.cost_micros),
            each.status,
        )
        for each in found
    ]
    best = max(found, key=lambda each: (each.is_accepted, each.score))
    return Reply(
        summary=f"{blocks.count(len(found), 'variant')} of {job}",
        blocks=(
            blocks.table(("id", "title", "score", "cost", "status"), rows),
            _next_steps(best),
        ),
        data={"items": [each.tagged for each in found], "next": None},
    )


@command(
    "variant show",
    scope="jobs:read",
    http="GET /variants/{variant}",
    target="variant",
    result=VariantData,
    examples=["variant show V-71", "V-71"],
)
def show(ctx: Context, variant: VariantRef) -> Reply:
    """Show one variant with its whole text."""
    found = variants.get_(ctx.tx, variant)
    return _told(found, f"{found.id} {found.title}", text=(_text(found),))


@command(
    "variant set",
    scope="jobs:write",
    danger="write",
    http="PUT /variants/{variant}",
    if_match="optional",
    target="variant",
    result=VariantData,
    examples=[
        'variant set V-71 --title "Release notes 1.2"',
        "variant set V-71 --no-accepted",
    ],
)
def set_(
    ctx: Context,
    variant: VariantRef,
    *,
    title: Annotated[str | None, Doc("What it is called.")] = None,
    body: Annotated[str | None, Doc("Its whole text.")] = None,
    accepted: Annotated[
        bool | None, Doc("Accept it, or take the acceptance back.")
    ] = None,
) -> Reply:
    """Change what is given of a variant; texts only while none is accepted."""
    if title is None and body is None and accepted is None:
        raise InvalidArgument(
            "nothing says what is to change",
            fix=[f'variant set {variant} --title "…"', f"variant accept {variant}"],
        )
    found = variants.edit(
        ctx.tx, variant, title=title, body=body, if_match=ctx.options.if_match
    )
    if accepted is None:
        return _told(found, f"{found.id} changed")
    return _accepted(ctx, found) if accepted else _withdrawn(ctx, found)


@command(
    "variant accept",
    scope="jobs:write",
    danger="write",
    http="POST /variants/{variant}/accept",
    if_match="optional",
    target="variant",
    result=VariantData,
    examples=["variant accept V-71", "accept V-71"],
)
def accept(ctx: Context, variant: VariantRef) -> Reply:
    """Choose a variant for its job; one that was chosen before no longer is."""
    found = variants.get_(ctx.tx, variant)
    return _accepted(ctx, found, if_match=ctx.options.if_match)


COMMANDS: Sequence[Command] = (list_, show, set_, accept)


def _accepted(ctx: Context, variant: Variant, *, if_match: str = "") -> Reply:
    before = jobs.get_(ctx.tx, variant.job_id).accepted
    chosen = variants.accept(ctx.tx, variant.id, if_match=if_match)
    return _told(
        chosen,
        f"{chosen.id} accepted for {chosen.job_id}",
        undo=_way_back(ctx, chosen, before),
    )


def _withdrawn(ctx: Context, variant: Variant) -> Reply:
    was = variant.is_accepted
    opened = variants.withdraw(ctx.tx, variant.id)
    back = f"variant accept {opened.id} --if-match {opened.etag}"
    return _told(
        opened,
        f"{opened.id} is not accepted any more",
        undo=blocks.undo(ctx, back) if was else None,
    )


def _way_back(ctx: Context, chosen: Variant, before: str) -> Undo | None:
    """Say how to undo an acceptance: accept the one before again, or none."""
    if before == chosen.id:
        return None
    if before:
        return blocks.undo(ctx, f"variant accept {before}")
    return blocks.undo(
        ctx, f"variant set {chosen.id} --no-accepted --if-match {chosen.etag}"
    )


def _told(
    variant: Variant,
    summary: str,
    *,
    text: Sequence[Block] = (),
    undo: Undo | None = None,
) -> Reply:
    return Reply(
        summary=summary[:150],
        blocks=(variant_facts(variant), *text, _next_steps(variant)),
        data=variant.tagged,
        undo=undo,
    )


def _text(variant: Variant) -> Block:
    if variant.format == "md":
        return Text(md=variant.body)
    return Code(text=variant.body, lang=variant.format.value)


def _next_steps(variant: Variant) -> Actions:
    first = (
        ("Export", f"export create {variant.id}")
        if variant.is_accepted
        else ("Accept", f"variant accept {variant.id}")
    )
    return blocks.actions(
        first,
        ("Show", f"variant show {variant.id}"),
        ("Job", f"job show {variant.job_id}"),
    )
