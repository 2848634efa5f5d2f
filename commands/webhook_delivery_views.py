"""The shapes of what a webhook received, or would do, and how they are filled in."""

from typing import Any

from typing_extensions import TypedDict

from core.hooks.deliveries import Delivery
from core.kernel.clock import to_iso
from core.kernel.jsons import Json


class DeliveryData(TypedDict):
    """A delivery; `took_ms` is null while it waits."""

    id: str
    reply_id: str
    received_at: str
    outcome: str
    took_ms: int | None
    size_bytes: int
    command: str
    summary: str
    code: str


class DeliveryPageData(TypedDict):
    """A page of deliveries, the newest first."""

    items: list[DeliveryData]
    next: str | None


class WebhookCallData(TypedDict):
    """A command that a payload would run; `problem` says why it could not."""

    command: str
    args: dict[str, Any]
    line: str
    problem: str


class WebhookTestData(TypedDict):
    """What a payload would do."""

    id: str
    skipped: str
    calls: list[WebhookCallData]


def view_of(each: Delivery) -> dict[str, Json]:
    """Show a delivery."""
    return {
        "id": each.id,
        "reply_id": each.reply_id,
        "received_at": to_iso(each.received_at),
        "outcome": each.outcome.value,
        "took_ms": each.took_ms,
        "size_bytes": each.size_bytes,
        "command": each.command,
        "summary": each.summary,
        "code": each.code,
    }
