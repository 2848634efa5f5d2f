"""Commands that have a webhook run something: a delivery once more, or one by hand."""

from collections.abc import Sequence
from typing import Annotated, Any

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.webhook_deliveries import (
    DeliveryRef,
    Sample,
    Since,
    Until,
    WebhookRef,
    counted,
)
from commands.webhook_delivery_views import ReplayedData, SentData, replay_view_of
from core.delivery.received import Wanted
from core.hooks import replays
from core.hooks import service as hooks
from core.hooks.deliveries import Outcome
from core.hooks.model import DELIVER_SCOPE, Endpoint
from core.hooks.presets import PRESETS
from core.hooks.replays import Replay
from core.kernel.problems import InvalidArgument
from core.kernel.reply import Reply


@command(
    "webhook replay",
    scope="webhooks:write",
    danger="write",
    bulk=("failed", "since", "until"),
    is_personal=True,
    alters="inbox",
    target="webhook",
    http="POST /v1/webhooks/{webhook}/replay",
    paths=["/v1/webhooks/{webhook}/deliveries/{delivery}/replay"],
    result=ReplayedData,
    examples=[
        "webhook replay W-3 rq_01JC8ZB7Q2M4T6V8X0Y2A4C6E8",
        "webhook replay W-3 --failed",
        "webhook replay W-3 --since 2h",
    ],
)
def replay(
    ctx: Context,
    webhook: WebhookRef,
    delivery: DeliveryRef = "",
    *,
    failed: Annotated[bool, Doc("All that failed.")] = False,
    since: Since = None,
    until: Until = None,
) -> Reply:
    """Run a delivery once more by the rules of now, or all that failed or of a time.

    What is done gives its first result and is not run again; what failed or was skipped
    is put into the inbox again, under an id of its own.
    """
    endpoint = hooks.get_(ctx.tx, webhook)
    is_bulk = bool(failed or since or until)
    if is_bulk == bool(delivery):
        raise InvalidArgument(
            "name one delivery, or say which",
            fix=[
                f"webhook replay {endpoint.id} rq_…",
                f"webhook replay {endpoint.id} --failed",
                f"webhook replay {endpoint.id} --since 2h",
            ],
        )
    if delivery:
        return _replayed_one(endpoint, replays.replay(ctx.tx, endpoint, delivery))
    wanted = Wanted(outcome="failed" if failed else "", since=since, until=until)
    return _replayed(endpoint, replays.replay_all(ctx.tx, endpoint, wanted))


@command(
    "webhook send",
    scope=DELIVER_SCOPE,
    danger="write",
    is_personal=True,
    alters="inbox",
    target="webhook",
    http="POST /v1/webhooks/{webhook}/send",
    result=SentData,
    examples=[
        'webhook send W-3 --payload {"alert":{"name":"disk"}}',
        "webhook send W-3 --sample alertmanager",
    ],
)
def send(
    ctx: Context,
    webhook: WebhookRef,
    *,
    payload: Annotated[Any, Doc("What a sender would deliver.")] = None,
    sample: Sample = None,
) -> Reply:
    """Deliver a payload to a webhook as if it had come from outside."""
    endpoint = hooks.get_(ctx.tx, webhook)
    if ("payload" in ctx.given) == (sample is not None):
        raise InvalidArgument(
            "name a payload or a sample",
            fix=[
                f"webhook send {endpoint.id} --payload {{}}",
                f"webhook send {endpoint.id} --sample alertmanager",
            ],
        )
    said = PRESETS[sample].sample if sample else payload
    delivery = replays.send(ctx.tx, endpoint, said)
    return Reply(
        summary=f"Sent {delivery} to {endpoint.id} ({endpoint.name})"[:150],
        blocks=(
            blocks.actions(
                ("What came of it", f"webhook inspect {endpoint.id} {delivery}"),
                ("Deliveries", f"webhook deliveries {endpoint.id}"),
            ),
        ),
        data={"id": delivery, "webhook": endpoint.id},
    )


COMMANDS: Sequence[Command] = (replay, send)


def _replayed_one(endpoint: Endpoint, found: Replay) -> Reply:
    now = found.now
    if found.is_new:
        summary = f"Running {found.of} again as {now.id}"
    elif now.outcome is Outcome.DONE:
        summary = f"{now.id} is done, nothing was run again: {now.summary}"
    else:
        summary = f"{found.of} is being run again already as {now.id}"
    steps = [("What came of it", f"webhook inspect {endpoint.id} {now.id}")]
    if now.outcome is Outcome.DONE:
        steps.append(("The first result", f"reply show {now.reply_id}"))
    return Reply(
        summary=summary[:150],
        blocks=(blocks.actions(*steps),),
        data={"replayed": int(found.is_new), "items": [replay_view_of(found)]},
    )


def _replayed(endpoint: Endpoint, found: Sequence[Replay]) -> Reply:
    if not found:
        summary = f"Nothing to replay of {endpoint.id}"
    else:
        summary = f"Running {counted(len(found))} to {endpoint.id} again"
    return Reply(
        summary=summary,
        blocks=(blocks.actions(("Deliveries", f"webhook deliveries {endpoint.id}")),),
        data={
            "replayed": len(found),
            "items": [replay_view_of(each) for each in found],
        },
    )
