"""Commands over what webhooks received, and what became of it."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Ref
from commands.webhook_delivery_views import DeliveryPageData, view_of
from core.hooks import deliveries as received
from core.hooks import service as hooks
from core.kernel.clock import to_iso
from core.kernel.reply import Reply

WebhookRef = Annotated[str, Ref("W")]


@command(
    "webhook deliveries",
    scope="webhooks:read",
    target="webhook",
    http="GET /v1/webhooks/{webhook}/deliveries",
    result=DeliveryPageData,
    examples=["webhook deliveries W-3"],
)
def deliveries(
    ctx: Context, webhook: WebhookRef, *, limit: int = 25, cursor: str = ""
) -> Reply:
    """List what a webhook received and what became of it, the newest first."""
    endpoint = hooks.get_(ctx.tx, webhook)
    page = received.list_(ctx.tx, endpoint.id, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            "No deliveries yet", ("Show", f"webhook show {endpoint.id}")
        )
    return Reply(
        summary=f"{len(page.items)} deliveries to {endpoint.id}",
        blocks=(
            blocks.table(
                ("id", "received", "outcome", "ms", "summary"),
                [
                    (
                        each.id,
                        to_iso(each.received_at),
                        each.outcome,
                        each.took_ms,
                        each.summary,
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={
            "items": [view_of(each) for each in page.items],
            "next": page.next,
        },
    )


COMMANDS: Sequence[Command] = (deliveries,)
