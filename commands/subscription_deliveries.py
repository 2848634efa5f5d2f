"""Commands over what was sent for a subscription, what became of it, and once more."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

from commands import blocks, stored_replies
from commands.context import Context
from commands.outbox import DeliveryRef
from commands.registry import Command, command
from commands.schema import Doc
from commands.subscription_views import (
    SubscriptionDeliveryPageData,
    SubscriptionInspectData,
    SubscriptionRedeliveredData,
    attempt_view_of,
    delivery_view_of,
    said_by,
)
from commands.subscriptions import SubscriptionRef
from core.delivery.outbox.model import OutboxState, Outgoing
from core.hooks.subscriptions import deliveries
from core.hooks.subscriptions import service as subscriptions
from core.hooks.subscriptions.deliveries import Again, Delivery
from core.hooks.subscriptions.matching import scope_to_see
from core.hooks.subscriptions.model import Attempt, Kind, Subscription
from core.kernel.clock import to_iso
from core.kernel.problems import Forbidden, InvalidArgument
from core.kernel.reply import Code, Reply, Table


class Drawn(NamedTuple):
    """A request as it goes out: its headers without signatures, and its body."""

    headers: Mapping[str, str]
    body: str


Draw = Callable[[Outgoing, datetime], Drawn]


class _Drawing:
    """The handler that shows a request, and so needs to know how one is written."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw

    def inspect(
        self, ctx: Context, subscription: SubscriptionRef, delivery: DeliveryRef
    ) -> Reply:
        """Show a delivery: the request as it is sent, and what came of every try."""
        found = subscriptions.get_(ctx.tx, subscription)
        outgoing = deliveries.get_(ctx.tx, found, delivery)
        _require_readable(ctx, outgoing)
        tried = subscriptions.list_attempts(ctx.tx, outgoing.key)
        last = tried[-1] if tried else None
        drawn = self._draw(outgoing, last.tried_at if last else ctx.tx.now)
        return Reply(
            summary=f"{outgoing.id} to {found.name} is {outgoing.state.value}"[:150],
            blocks=(
                blocks.fields(
                    ("sent to", found.url),
                    ("id there", outgoing.key),
                    ("error", outgoing.error),
                    ("fix", outgoing.fix),
                ),
                *((_tries(tried),) if tried else ()),
                Code(text=_written(found, drawn), lang="http"),
                blocks.actions(
                    ("Send again", f"subscription redeliver {found.id} {outgoing.id}")
                ),
            ),
            data={
                **delivery_view_of(Delivery(outgoing=outgoing, last=last)),
                "request": {
                    "method": "POST",
                    "url": found.url,
                    "headers": dict(drawn.headers),
                    "body": drawn.body,
                },
                "tried": [attempt_view_of(each) for each in tried],
            },
        )


@command(
    "subscription deliveries",
    scope="subscriptions:read",
    target="subscription",
    http="GET /v1/subscriptions/{subscription}/deliveries",
    result=SubscriptionDeliveryPageData,
    examples=[
        "subscription deliveries SB-3",
        "subscription deliveries SB-3 --state dead",
    ],
)
def list_(
    ctx: Context,
    subscription: SubscriptionRef,
    *,
    state: Annotated[OutboxState | None, Doc("How far it has come.")] = None,
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List what is sent for a subscription and what became of it, the newest first."""
    found = subscriptions.get_(ctx.tx, subscription)
    page = deliveries.list_(ctx.tx, found, state=state, limit=limit, cursor=cursor)
    if not page.items:
        return blocks.empty("No deliveries", ("Test", f"subscription test {found.id}"))
    items = [delivery_view_of(each) for each in page.items]
    columns = ("id", "what", "state", "attempts", "status", "took_ms", "next_try_at")
    return Reply(
        summary=f"{_counted(len(items))} to {found.name}",
        blocks=(
            blocks.table(
                ("id", "what", "state", "tries", "status", "ms", "next try"),
                [[each[name] for name in columns] for each in items],
                next=page.next,
            ),
        ),
        data={"items": [*items], "next": page.next},
    )


@command(
    "subscription redeliver",
    scope="subscriptions:write",
    danger="write",
    target="subscription",
    http="POST /v1/subscriptions/{subscription}/redeliver",
    result=SubscriptionRedeliveredData,
    bulk=("failed", "since", "until"),
    alters="outbox",
    examples=[
        "subscription redeliver SB-3 D-7",
        "subscription redeliver SB-3 --failed --yes",
        "subscription redeliver SB-3 --since 2h --yes",
    ],
)
def redeliver(
    ctx: Context,
    subscription: SubscriptionRef,
    delivery: DeliveryRef = "",
    *,
    failed: Annotated[bool, Doc("All that was given up.")] = False,
    since: Annotated[
        datetime | None, Doc("The events of a time, from this moment.")
    ] = None,
    until: Annotated[datetime | None, Doc("The end of that time; now without.")] = None,
) -> Reply:
    """Send a delivery again, all that failed, or the events of a time.

    The ids stay, so that the receiver knows what it has had. Of a time, what has
    arrived is not sent twice.
    """
    found = subscriptions.get_(ctx.tx, subscription)
    if [bool(delivery), failed, since is not None].count(True) != 1:
        raise InvalidArgument(
            "name one delivery, --failed, or --since",
            fix=[
                f"subscription redeliver {found.id} --failed",
                f"subscription redeliver {found.id} --since 2h",
            ],
        )
    if delivery:
        again = deliveries.send_again(ctx.tx, found, delivery)
    elif since is not None:
        again = deliveries.send_range(ctx.tx, found, since=since, until=until)
    else:
        again = deliveries.send_failed(ctx.tx, found)
    return _redelivered(found, again)


def delivery_commands(draw: Draw) -> Sequence[Command]:
    """List these commands; `draw` writes a request as it goes out."""
    inspect = command(
        "subscription inspect",
        scope="subscriptions:read",
        target="subscription",
        http="GET /v1/subscriptions/{subscription}/deliveries/{delivery}",
        result=SubscriptionInspectData,
        examples=["subscription inspect SB-3 D-7"],
    )(_Drawing(draw).inspect)
    return list_, inspect, redeliver


def _require_readable(ctx: Context, outgoing: Outgoing) -> None:
    """Refuse to show what was told to others with more rights.

    Raises: Forbidden.
    """
    said = said_by(outgoing)["data"]
    assert isinstance(said, dict)
    if outgoing.place.get("kind") == Kind.REPLY:
        is_readable = stored_replies.may_read(ctx, said)
    else:
        scopes = (subscriptions.SEES, scope_to_see(str(said["target"])))
        is_readable = all(map(ctx.principal.may, scopes))
    if not is_readable:
        raise Forbidden(
            f"{ctx.principal.name} may not read what {outgoing.id} says",
            fix=["ask somebody who may read what it is about", "whoami"],
        )


def _redelivered(found: Subscription, again: Again) -> Reply:
    more_from = to_iso(again.more_from) if again.more_from else None
    more = f"subscription redeliver {found.id} --since {more_from}"
    rest = "; more remain" if more_from else ""
    return Reply(
        summary=f"Sending {_counted(len(again.sent))} to {found.name} again{rest}",
        blocks=(
            blocks.actions(
                *((("Go on", more),) if more_from else ()),
                ("Deliveries", f"subscription deliveries {found.id}"),
            ),
        ),
        data={
            "id": found.id,
            "redelivered": len(again.sent),
            "deliveries": [each.id for each in again.sent],
            "more_from": more_from,
        },
    )


def _counted(number: int) -> str:
    return "1 delivery" if number == 1 else f"{number} deliveries"


def _tries(tried: Sequence[Attempt]) -> Table:
    return blocks.table(
        ("try", "at", "status", "ms", "answer"),
        [
            (
                each.attempt,
                to_iso(each.tried_at),
                each.status or "none",
                each.took_ms,
                each.error or each.answer[:80],
            )
            for each in tried
        ],
    )


def _written(found: Subscription, drawn: Drawn) -> str:
    lines = [f"POST {found.url}"]
    lines += [f"{name}: {value}" for name, value in drawn.headers.items()]
    return "\n".join([*lines, "", drawn.body])
