"""Commands over the outbox: what waits to be delivered, what was not, and why."""

from collections.abc import Sequence
from typing import Annotated

from commands import blocks
from commands.channels import channel_names
from commands.context import Context
from commands.delivery_views import (
    DeliveryDetailData,
    OutboxPageData,
    OutboxReplayedData,
    OutgoingData,
)
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.database import Tx
from core.delivery.outbox import service as outbox
from core.delivery.outbox.model import Of, OutboxState, Outgoing, lasting
from core.kernel.clock import to_iso
from core.kernel.jsons import Json, parse_json
from core.kernel.problems import InvalidArgument, NotFound
from core.kernel.reply import Actions, Reply

DeliveryRef = Annotated[str, Ref("D")]
ChannelName = Annotated[str, Doc("A channel, such as slack.")]


@command(
    "outbox list",
    scope="outbox:read",
    http="GET /v1/outbox",
    result=OutboxPageData,
    examples=["outbox list --status dead", "outbox list --channel slack"],
)
def list_(
    ctx: Context,
    *,
    status: Annotated[OutboxState | None, Doc("How far it has come.")] = None,
    channel: ChannelName = "",
    limit: int = 25,
    cursor: str = "",
) -> Reply:
    """List what is to be delivered or was, the newest first."""
    page = outbox.list_(
        ctx.tx,
        state=status,
        of=Of(channel=_known(ctx.tx, channel) if channel else ""),
        limit=limit,
        cursor=cursor,
    )
    if not page.items:
        return blocks.empty("Nothing here", ("Channels", "channel list"))
    return Reply(
        summary=_counted(page.items),
        blocks=(
            blocks.table(
                ("id", "channel", "lane", "state", "tries", "age", "error"),
                [
                    (
                        each.id,
                        f"{each.channel}:{each.account}",
                        each.lane.name.lower(),
                        each.state.value,
                        each.attempts,
                        blocks.age(each.created_at, ctx.tx.now),
                        each.error,
                    )
                    for each in page.items
                ],
                next=page.next,
            ),
        ),
        data={"items": [view_of(each) for each in page.items], "next": page.next},
    )


@command(
    "outbox show",
    scope="outbox:read",
    http="GET /v1/outbox/{delivery}",
    target="delivery",
    result=DeliveryDetailData,
    examples=["outbox show D-3"],
)
def show(ctx: Context, delivery: DeliveryRef) -> Reply:
    """Show one delivery: where it goes, what it says, and why it has not left."""
    found = outbox.get_(ctx.tx, delivery)
    said = parse_json(found.shown)
    assert isinstance(said, dict)
    is_open = found.state in (OutboxState.WAITING, OutboxState.DEAD)
    is_skipped = found.state is OutboxState.SKIPPED
    return Reply(
        summary=f"{found.id} to {found.channel} is {found.state.value}"[:150],
        blocks=(
            blocks.fields(
                ("says", said["summary"]),
                ("lane", found.lane.name.lower()),
                ("attempts", found.attempts),
                ("due", to_iso(found.due_at) if is_open else ""),
                ("sent", to_iso(found.sent_at) if found.sent_at else ""),
                ("why" if is_skipped else "error", found.error),
                ("fix", found.fix),
            ),
            *((_by_hand(found),) if is_open else ()),
        ),
        data={
            **view_of(found),
            "place": dict(lasting(found.place)),
            "summary": said["summary"],
            "reply": said["id"],
            "request": said["request_id"],
        },
    )


@command(
    "outbox replay",
    scope="outbox:write",
    danger="write",
    target="delivery",
    http="POST /v1/outbox/replay",
    paths=["/v1/outbox/{delivery}/replay"],
    result=OutboxReplayedData,
    alters="outbox",
    examples=["outbox replay D-3", "outbox replay --channel slack"],
)
def replay(
    ctx: Context, delivery: DeliveryRef = "", *, channel: ChannelName = ""
) -> Reply:
    """Try a delivery again at once, or all of a channel that failed."""
    if bool(delivery) == bool(channel):
        raise InvalidArgument(
            "name one delivery, or a channel",
            fix=["outbox replay D-3", "outbox replay --channel slack"],
        )
    if delivery:
        replayed: Sequence[Outgoing] = [outbox.replay(ctx.tx, delivery)]
    else:
        replayed = outbox.replay_dead(ctx.tx, Of(channel=_known(ctx.tx, channel)))
    return Reply(
        summary=f"Trying {delivery or _counted(replayed)} again",
        data={"replayed": len(replayed), "items": [view_of(each) for each in replayed]},
    )


def _standing(tx: Tx, delivery: str) -> str:
    """What consent to dropping a delivery is bound to."""
    return outbox.get_(tx, delivery).state.value


@command(
    "outbox drop",
    scope="outbox:write",
    danger="risky",
    target="delivery",
    fingerprint=_standing,
    http="DELETE /v1/outbox/{delivery}",
    result=OutgoingData,
    examples=["outbox drop D-3 --yes"],
)
def drop(ctx: Context, delivery: DeliveryRef) -> Reply:
    """Give a delivery up, so that it never leaves."""
    dropped = outbox.drop(ctx.tx, delivery)
    return Reply(
        summary=f"Dropped {dropped.id}, which was for {dropped.channel}"[:150],
        data=view_of(dropped),
    )


COMMANDS: Sequence[Command] = (list_, show, replay, drop)


def view_of(outgoing: Outgoing) -> dict[str, Json]:
    """Show a delivery as the `data` of a reply; what it says is not in it."""
    return {
        "id": outgoing.id,
        "key": outgoing.key,
        "channel": outgoing.channel,
        "account": outgoing.account,
        "lane": outgoing.lane.name.lower(),
        "state": outgoing.state.value,
        "attempts": outgoing.attempts,
        "created_at": to_iso(outgoing.created_at),
        "due_at": to_iso(outgoing.due_at),
        "sent_at": to_iso(outgoing.sent_at) if outgoing.sent_at else None,
        "error": outgoing.error,
        "fix": outgoing.fix,
    }


def _counted(found: Sequence[Outgoing]) -> str:
    return "1 delivery" if len(found) == 1 else f"{len(found)} deliveries"


def _by_hand(found: Outgoing) -> Actions:
    return blocks.actions(
        ("Try again", f"outbox replay {found.id}"), ("Drop", f"outbox drop {found.id}")
    )


def _known(tx: Tx, channel: str) -> str:
    if channel not in channel_names(tx):
        raise NotFound(f"the channel {channel[:40]}", fix=["channel list"])
    return channel
