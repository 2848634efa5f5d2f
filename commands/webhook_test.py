"""The command that shows what a payload would do at a webhook, and does nothing."""

from collections.abc import Sequence
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.webhook_deliveries import WebhookRef
from commands.webhook_delivery_views import WebhookTestData
from commands.webhook_maps import try_call
from core.hooks import mapping
from core.hooks import service as hooks
from core.hooks.mapping import Skipped
from core.kernel.jsons import Json
from core.kernel.reply import Code, Reply


@command(
    "webhook test",
    scope="webhooks:read",
    http="POST /v1/webhooks/{webhook}/test",
    target="webhook",
    result=WebhookTestData,
    examples=['webhook test W-3 --payload {"alert":{"name":"disk"}}'],
)
def test(
    ctx: Context,
    webhook: WebhookRef,
    *,
    payload: Annotated[Any, Doc("What a sender would deliver.")],
) -> Reply:
    """Show what a payload would run, without running it."""
    endpoint = hooks.get_(ctx.tx, webhook)
    calls = mapping.extract_all(endpoint.rules, payload)
    if isinstance(calls, Skipped):
        data: dict[str, Json] = {
            "id": endpoint.id,
            "skipped": calls.reason,
            "calls": [],
        }
        return Reply(summary=f"Would be skipped: {calls.reason}"[:150], data=data)
    tried: list[Json] = [try_call(ctx, command, args) for command, args in calls]
    return Reply(
        summary=f"Would run {blocks.count(len(tried), 'command')}",
        blocks=(Code(text="\n".join(_lines(tried))),),
        data={"id": endpoint.id, "skipped": "", "calls": tried},
    )


COMMANDS: Sequence[Command] = (test,)


def _lines(tried: Sequence[Json]) -> list[str]:
    return [
        str(each["line"] or each["problem"]) for each in tried if isinstance(each, dict)
    ]
