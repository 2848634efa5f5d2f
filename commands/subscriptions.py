"""Commands over subscriptions: what they are told, and whether they are at all."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from commands.subscription_views import (
    SubscriptionData,
    SubscriptionPageData,
    SubscriptionTestData,
    view_of,
)
from core.hooks.subscriptions import deliveries
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.model import Subscription
from core.kernel.reply import Reply
from core.kernel.texts import require_line

SubscriptionRef = Annotated[str, Ref("SB")]

_BY_HAND = "disabled by hand"
_REASON_LIMIT = 500


@command(
    "subscription list",
    scope="subscriptions:read",
    http="GET /v1/subscriptions",
    result=SubscriptionPageData,
    examples=["subscription list"],
)
def list_(ctx: Context, *, limit: int = 25, cursor: str = "") -> Reply:
    """List subscriptions, the oldest first."""
    page = subscriptions.list_(ctx.tx, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            "No subscriptions", ("How to make one", "help subscription create")
        )
    return Reply(
        summary=blocks.count(len(page.items), "subscription"),
        blocks=(
            blocks.table(
                ("id", "name", "state", "events", "failures", "url"),
                [
                    (
                        each.id,
                        each.name,
                        each.state.value,
                        _events(each),
                        each.failures,
                        each.url,
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={
            "items": [view_of(ctx.tx, each) for each in page.items],
            "next": page.next,
        },
    )


@command(
    "subscription show",
    scope="subscriptions:read",
    http="GET /v1/subscriptions/{subscription}",
    target="subscription",
    result=SubscriptionData,
    examples=["subscription show SB-3"],
)
def show(ctx: Context, subscription: SubscriptionRef) -> Reply:
    """Show what a subscription is told, where, and how that went lately."""
    found = subscriptions.get_(ctx.tx, subscription)
    return _shown(ctx, found, f"{found.id}: {found.name} is {found.state.value}")


@command(
    "subscription test",
    scope="subscriptions:write",
    danger="write",
    http="POST /v1/subscriptions/{subscription}/test",
    target="subscription",
    result=SubscriptionTestData,
    alters="outbox",
    examples=["subscription test SB-3"],
)
def test(ctx: Context, subscription: SubscriptionRef) -> Reply:
    """Send a signed test event, to see whether it arrives."""
    found = subscriptions.get_(ctx.tx, subscription)
    sent = deliveries.send_trial(ctx.tx, found)
    look = f"subscription inspect {found.id} {sent.id}"
    return Reply(
        summary=f"A test is on its way to {found.name}; see how it went with: {look}"[
            :150
        ],
        blocks=(blocks.actions(("How it went", look)),),
        data={"id": found.id, "delivery": sent.id, "look": look},
    )


@command(
    "subscription enable",
    scope="subscriptions:write",
    danger="write",
    http="POST /v1/subscriptions/{subscription}/enable",
    target="subscription",
    result=SubscriptionData,
    examples=["subscription enable SB-3"],
)
def enable(ctx: Context, subscription: SubscriptionRef) -> Reply:
    """Send again, from now on; what failed is sent again when you ask for it."""
    found = subscriptions.enable(ctx.tx, subscription)
    return Reply(
        summary=f"{found.id} ({found.name}) is told of events from now on",
        blocks=(
            blocks.actions(
                ("Test", f"subscription test {found.id}"),
                ("Send what failed", f"subscription redeliver {found.id} --failed"),
            ),
        ),
        data=view_of(ctx.tx, found),
    )


@command(
    "subscription disable",
    scope="subscriptions:write",
    danger="write",
    http="POST /v1/subscriptions/{subscription}/disable",
    target="subscription",
    result=SubscriptionData,
    examples=["subscription disable SB-3 --reason 'moving house'"],
)
def disable(
    ctx: Context,
    subscription: SubscriptionRef,
    *,
    reason: Annotated[str, Doc("Why, for those who ask later.")] = _BY_HAND,
) -> Reply:
    """Send nothing more, until it is enabled."""
    why = require_line("reason", reason, limit=_REASON_LIMIT)
    found = subscriptions.disable(ctx.tx, subscription, reason=why)
    return _shown(ctx, found, f"{found.id} ({found.name}) is sent nothing more")


@command(
    "subscription delete",
    scope="subscriptions:write",
    danger="destructive",
    target="subscription",
    http="DELETE /v1/subscriptions/{subscription}",
    result=SubscriptionData,
    examples=["subscription delete SB-3 --confirm SB-3"],
)
def delete(ctx: Context, subscription: SubscriptionRef) -> Reply:
    """Remove a subscription; what has yet to be sent to it is given up."""
    data = view_of(ctx.tx, subscriptions.get_(ctx.tx, subscription))
    deleted = subscriptions.delete(ctx.tx, subscription)
    return Reply(summary=f"Deleted {deleted.id} ({deleted.name})", data=data)


COMMANDS: Sequence[Command] = (list_, show, test, enable, disable, delete)


def _events(subscription: Subscription) -> str:
    if subscription.wanted.answers_only:
        return "none, only answers"
    return ", ".join(sorted(subscription.wanted.types)) or "all"


def _shown(ctx: Context, found: Subscription, summary: str) -> Reply:
    data = view_of(ctx.tx, found)
    return Reply(
        summary=summary[:150],
        blocks=(
            blocks.fields(
                ("sent to", found.url),
                ("events", _events(found)),
                ("targets", ", ".join(sorted(found.wanted.targets))),
                ("filter", found.wanted.filter),
                ("sees what may see", data["created_by"]),
                ("reason", found.reason),
                ("last success", data["last_ok_at"]),
                ("failing since", data["failing_since"]),
                ("failures", found.failures or ""),
            ),
            blocks.actions(
                ("Deliveries", f"subscription deliveries {found.id}"),
                ("Test", f"subscription test {found.id}")
                if found.is_enabled
                else ("Enable", f"subscription enable {found.id}"),
            ),
        ),
        data=data,
    )
