"""Commands over what webhooks received, and what became of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc, Ref
from commands.webhook_delivery_views import (
    DeliveryPageData,
    ListeningData,
    WholeDeliveryData,
    lines_of,
    view_of,
    whole_view_of,
)
from core.delivery.received import Wanted
from core.hooks import deliveries as received
from core.hooks import service as hooks
from core.hooks.deliveries import Delivery, Outcome
from core.hooks.presets import PresetName
from core.hooks.tries import Whole, get_whole
from core.kernel.clock import to_iso
from core.kernel.pages import Page
from core.kernel.reply import Block, Code, Reply, Table
from core.kernel.sanitise import sanitise_line

WebhookRef = Annotated[str, Ref("W")]
Sample = Annotated[PresetName | None, Doc("What this sender delivers, for a try.")]
DeliveryRef = Annotated[str, Doc("Its id, rq_…, as webhook deliveries lists it.")]
Since = Annotated[datetime | None, Doc("Received at or after this moment.")]
Until = Annotated[datetime | None, Doc("Received before this moment.")]

# A payload may say what is none of a reader's business, so to read it takes more than
# to see how its delivery ended.
INSPECT_SCOPE = "webhooks:write"
_SHOWN_CHARS = 4_000
_ROW_CHARS = 60


@command(
    "webhook deliveries",
    scope="webhooks:read",
    target="webhook",
    http="GET /v1/webhooks/{webhook}/deliveries",
    result=DeliveryPageData,
    examples=[
        "webhook deliveries W-3",
        "webhook deliveries W-3 --outcome failed --since 24h",
    ],
)
def deliveries(
    ctx: Context,
    webhook: WebhookRef,
    *,
    outcome: Annotated[Outcome | None, Doc("Only those that ended so.")] = None,
    since: Since = None,
    until: Until = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List what a webhook received and what became of it, the newest first."""
    endpoint = hooks.get_(ctx.tx, webhook)
    wanted = Wanted(outcome=outcome or "", since=since, until=until)
    page = received.list_(ctx.tx, endpoint.id, wanted, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty(
            f"No {outcome.value} deliveries" if outcome else "No deliveries yet",
            ("Show", f"webhook show {endpoint.id}"),
        )
    return Reply(
        summary=f"{counted(len(page.items))} to {endpoint.id}",
        blocks=(_table(page), *_next_steps(endpoint.id, page.items)),
        data={"items": [view_of(each) for each in page.items], "next": page.next},
    )


@command(
    "webhook inspect",
    scope=INSPECT_SCOPE,
    target="webhook",
    http="GET /v1/webhooks/{webhook}/deliveries/{delivery}",
    result=WholeDeliveryData,
    examples=["webhook inspect W-3 rq_01JC8ZB7Q2M4T6V8X0Y2A4C6E8"],
)
def inspect(ctx: Context, webhook: WebhookRef, delivery: DeliveryRef) -> Reply:
    """Show one delivery: what it said, what was made of it, and how often."""
    endpoint = hooks.get_(ctx.tx, webhook)
    whole = get_whole(ctx.tx, endpoint, delivery)
    found = whole.delivery
    said = f": {found.summary}" if found.summary else ""
    return Reply(
        summary=f"{found.id} {found.outcome.value}{said}"[:150],
        blocks=tuple(_shown(endpoint.id, whole)),
        data=whole_view_of(whole),
    )


@command(
    "webhook listen",
    scope="webhooks:read",
    target="webhook",
    http="GET /v1/webhooks/{webhook}/listen",
    result=ListeningData,
    examples=["webhook listen W-3"],
)
def listen(ctx: Context, webhook: WebhookRef, *, limit: int = 10) -> Reply:
    """Show the last deliveries; in a terminal, ops webhook listen W-3 goes on with new
    ones as they come in.
    """
    endpoint = hooks.get_(ctx.tx, webhook)
    # Read first: what comes in meanwhile is told of twice then, and not never.
    since = ctx.tx.event_seq
    page = received.list_(ctx.tx, endpoint.id, limit=limit)
    oldest_first = Page(list(reversed(page.items)))
    told = counted(len(page.items)) if page.items else "No deliveries"
    return Reply(
        summary=f"{told} so far to {endpoint.id} ({endpoint.name})",
        blocks=(_table(oldest_first),) if page.items else (),
        data={
            "id": endpoint.id,
            "items": [view_of(each) for each in oldest_first.items],
            "since": since,
            "next": None,
        },
    )


COMMANDS: Sequence[Command] = (deliveries, inspect, listen)


def counted(number: int) -> str:
    """Write `1 delivery`, `2 deliveries`."""
    return "1 delivery" if number == 1 else f"{number} deliveries"


def _table(page: Page[Delivery]) -> Table:
    return blocks.table(
        ("id", "received", "outcome", "ms", "bytes", "command", "summary"),
        [
            (
                each.id,
                f"{each.received_at:%Y-%m-%d %H:%M:%S}",
                f"{each.outcome.value}{', replayed' if each.replayed_as else ''}",
                each.took_ms,
                each.size_bytes,
                _briefly(each.commands),
                each.summary,
            )
            for each in page.items
        ],
        next=page.next,
    )


def _next_steps(endpoint_id: str, items: Sequence[Delivery]) -> Sequence[Block]:
    """Offer what helps with a delivery that failed, if there is one."""
    failed = next(filter(_is_open, items), None)
    if failed is None:
        return ()
    return (
        blocks.actions(
            ("Inspect", f"webhook inspect {endpoint_id} {failed.id}"),
            ("Replay all failed", f"webhook replay {endpoint_id} --failed"),
        ),
    )


def _briefly(commands: Sequence[str]) -> str:
    """Write what was run so that it fits into a row."""
    if len(commands) > 1:
        return f"{len(commands)} commands"
    return sanitise_line("".join(commands), limit=_ROW_CHARS)


def _is_open(each: Delivery) -> bool:
    """Tell whether a delivery failed and was not replayed since."""
    return each.outcome is Outcome.FAILED and not each.replayed_as


def _shown(endpoint_id: str, whole: Whole) -> Iterator[Block]:
    found = whole.delivery
    let_in = f"{found.proof} by {found.by}" if found.by else found.proof
    yield blocks.fields(
        ("received", to_iso(found.received_at)),
        ("outcome", found.outcome.value),
        ("ms", found.took_ms),
        ("bytes", found.size_bytes),
        ("let in by", let_in),
        ("command", found.command),
        ("problem", found.code),
        ("answer", found.url),
        ("replay of", found.replay_of),
        ("replayed as", found.replayed_as),
    )
    headers = "\n".join(f"{name}: {text}" for name, text in whole.headers.items())
    yield Code(text=f"{headers}\n\n{_cut(whole.body)}".lstrip())
    if len(lines := lines_of(whole)) > 1:
        yield blocks.table(
            ("command", "status", "summary"),
            [(each["command"], each["status"], each["summary"]) for each in lines],
        )
    if len(whole.tries) > 1:
        yield blocks.table(
            ("try", "received", "outcome", "by"),
            [
                (each.id, to_iso(each.received_at), each.outcome.value, each.by)
                for each in whole.tries
            ],
        )
    steps = [
        ("Try the rules on it", f"webhook test {endpoint_id} --delivery {found.id}")
    ]
    if _is_open(found) or found.outcome is Outcome.SKIPPED:
        steps.append(("Replay", f"webhook replay {endpoint_id} {found.id}"))
    yield blocks.actions(*steps)


def _cut(body: str) -> str:
    if len(body) <= _SHOWN_CHARS:
        return body
    return f"{body[:_SHOWN_CHARS]}\n… {len(body) - _SHOWN_CHARS} more characters"
