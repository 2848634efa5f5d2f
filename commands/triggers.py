"""Commands over triggers: when something happens, then one fixed command."""

from collections.abc import Sequence
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from commands.trigger_create import create
from commands.trigger_set import set_
from commands.trigger_tests import Sample, judged
from commands.trigger_views import (
    FirePageData,
    TriggerData,
    TriggerPageData,
    TriggerTestData,
    fault_of,
    fire_view_of,
    one_of,
    view_of,
    written_when,
)
from commands.webhook_maps import require_possible
from core.hooks.triggers import fires as fired
from core.hooks.triggers import service as triggers
from core.kernel.reply import Reply, Text

TriggerRef = Annotated[str, Ref("G")]


@command(
    "trigger list",
    scope="triggers:read",
    http="GET /v1/triggers",
    result=TriggerPageData,
    examples=["trigger list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List triggers, the oldest first."""
    page = triggers.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No triggers", ("How to make one", "help trigger create"))
    shown = [view_of(ctx, each) for each in page.items]
    return Reply(
        summary=blocks.count(len(page.items), "trigger"),
        blocks=(
            blocks.table(
                ("id", "name", "when", "runs", "as", "state"),
                [
                    (
                        each.id,
                        each.name,
                        written_when(each),
                        each.rule.command,
                        view["runs_as"],
                        view["obstacle"] or each.state,
                    )
                    for each, view in zip(page.items, shown, strict=True)
                ],
                next=page.next,
            ),
        ),
        data={"items": [*shown], "next": page.next},
    )


@command(
    "trigger show",
    scope="triggers:read",
    http="GET /v1/triggers/{trigger}",
    target="trigger",
    result=TriggerData,
    examples=["G-2", "trigger show G-2"],
)
def show(ctx: Context, trigger: TriggerRef) -> Reply:
    """Show what sets a trigger off, what it runs, and why it could not."""
    found = triggers.get_(ctx.tx, trigger)
    return one_of(ctx, found, f"{found.id}: {found.name} runs {found.rule.command}")


@command(
    "trigger enable",
    scope="triggers:write",
    danger="write",
    is_personal=True,
    http="POST /v1/triggers/{trigger}/enable",
    target="trigger",
    result=TriggerData,
    examples=["trigger enable G-2"],
)
def enable(ctx: Context, trigger: TriggerRef) -> Reply:
    """Have a trigger react again; what happened meanwhile is passed over."""
    found = triggers.get_(ctx.tx, trigger)
    require_possible(ctx, found.rule, by="trigger")
    return one_of(ctx, triggers.enable(ctx.tx, found.id), f"{found.id} is enabled")


@command(
    "trigger disable",
    scope="triggers:write",
    danger="write",
    http="POST /v1/triggers/{trigger}/disable",
    target="trigger",
    result=TriggerData,
    examples=['trigger disable G-2 --reason "too noisy"'],
)
def disable(ctx: Context, trigger: TriggerRef) -> Reply:
    """Have a trigger react to nothing until it is enabled again."""
    found = triggers.disable(ctx.tx, trigger, reason=ctx.options.reason)
    return one_of(ctx, found, f"{found.id} is disabled")


@command(
    "trigger delete",
    scope="triggers:write",
    danger="destructive",
    http="DELETE /v1/triggers/{trigger}",
    target="trigger",
    result=TriggerData,
    examples=["trigger delete G-2 --confirm G-2"],
)
def delete(ctx: Context, trigger: TriggerRef) -> Reply:
    """Remove a trigger; what it set off and has not run is refused."""
    shown = view_of(ctx, triggers.get_(ctx.tx, trigger))
    deleted = triggers.delete(ctx.tx, trigger)
    return Reply(summary=f"Deleted {deleted.id} ({deleted.name})", data=shown)


@command(
    "trigger test",
    scope="triggers:read",
    http="POST /v1/triggers/{trigger}/test",
    target="trigger",
    result=TriggerTestData,
    examples=["trigger test G-2 --event 1234", "trigger test G-2 --last"],
)
def try_(
    ctx: Context,
    trigger: TriggerRef,
    *,
    event: Annotated[int | None, Doc("The number of a past event.")] = None,
    last: Annotated[bool, Doc("The newest event that it looks at.")] = False,
    delivery: Annotated[str, Doc("A delivery to its webhook: rq_….")] = "",
    payload: Annotated[Any, Doc("What an event or a delivery would say.")] = None,
) -> Reply:
    """Show whether something would set a trigger off, and the lines it would run."""
    found = triggers.get_(ctx.tx, trigger)
    sample = Sample(seq=event, is_last=last, delivery=delivery, payload=payload)
    return judged(ctx, found, sample)


@command(
    "trigger fires",
    scope="triggers:read",
    http="GET /v1/triggers/{trigger}/fires",
    target="trigger",
    result=FirePageData,
    examples=["trigger fires G-2"],
)
def fires(
    ctx: Context, trigger: TriggerRef, *, limit: int = 25, cursor: str = ""
) -> Reply:
    """List what set a trigger off and what became of it, the newest first."""
    found = triggers.get_(ctx.tx, trigger)
    page = fired.list_(ctx.tx, found.id, limit=limit, cursor=cursor)
    fault = fault_of(ctx.tx, found)
    if not page.items:
        return blocks.empty(
            f"Nothing has set {found.id} off yet{f'; {fault}' if fault else ''}"[:150],
            ("Test", f"trigger test {found.id}"),
        )
    shown = [fire_view_of(ctx.tx, found, each) for each in page.items]
    return Reply(
        summary=blocks.count(len(shown), "fire"),
        blocks=(
            *([Text(md=f"The last look failed: {fault}")] if fault else ()),
            blocks.table(
                ("id", "at", "set off by", "outcome", "ms", "summary"),
                [
                    (
                        each["id"],
                        each["at"],
                        f"{each['seq']} {each['event']} {each['target']}",
                        each["outcome"],
                        each["took_ms"],
                        each["summary"],
                    )
                    for each in shown
                ],
                next=page.next,
            ),
        ),
        data={"items": [*shown], "next": page.next},
    )


COMMANDS: Sequence[Command] = (
    create,
    list_,
    show,
    set_,
    enable,
    disable,
    delete,
    try_,
    fires,
)
