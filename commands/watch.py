"""Commands over watches: who is told of what, and where."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from commands import blocks
from commands.context import Context
from commands.delivery_views import WatchPageData
from commands.registry import Command, command
from commands.schema import Doc, Ref
from core.approvals.requests import service as requests
from core.collab import tasks
from core.database import Tx
from core.delivery.outbox.model import lasting
from core.delivery.places import direct_place
from core.delivery.watches import service as watches
from core.delivery.watches.model import Watch
from core.identity.links import service as links
from core.jobs import service as jobs
from core.kernel.clock import to_iso
from core.kernel.ids import PREFIX_NOUNS
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, MissingScope, NotFound
from core.kernel.reply import Reply, Text
from core.runs import service as runs

# What can be watched, by the prefix of its id, and how its absence is noticed.
_GETS: Mapping[str, Callable[[Tx, str], object]] = {
    "T": tasks.get_,
    "AP": requests.get_,
    "R": runs.get_,
    "J": jobs.get_,
}
_WAYS = ("email", "slack")
_MANY = 4
_BY_MAIL = Text(md="By mail come the first news and the end; nothing in between.")

Target = Annotated[str, Ref(""), Doc("What to hear of, such as T-12.")]


@command(
    "watch",
    danger="write",
    http="POST /v1/watches",
    result=WatchPageData,
    target="target",
    examples=["watch T-12", "watch R-7 by email"],
)
def watch(
    ctx: Context,
    target: Target,
    by: Annotated[Sequence[str], Doc("by email, by slack; left out, here.")] = (),
) -> Reply:
    """Be told of what happens to an object: here, or by mail or direct message."""
    _require_visible(ctx, target)
    ways = tuple(each for each in by if each != "by")
    if len(ways) > _MANY:
        raise InvalidArgument(f"{len(ways)} ways are too many", fix=["watch T-12"])
    made = [_watch_by(ctx, target, way) for way in ways] or [_watch_here(ctx, target)]
    where = ", ".join(dict.fromkeys(each.channel for each in made))
    return Reply(
        summary=f"You will hear of {target} by {where}"[:150],
        blocks=(
            *((_BY_MAIL,) if any(each.channel == "email" for each in made) else ()),
            blocks.actions(("Stop telling me", f"unwatch {target}")),
        ),
        data={"items": [_view(each) for each in made], "next": None},
    )


@command(
    "unwatch",
    danger="write",
    http="DELETE /v1/watches/{target}",
    result=WatchPageData,
    target="target",
    examples=["unwatch T-12", "unwatch T-12 by email"],
)
def unwatch(
    ctx: Context,
    target: Target,
    by: Annotated[Sequence[str], Doc("by email; left out, everywhere.")] = (),
) -> Reply:
    """Hear no more of an object."""
    ways = [each for each in by if each != "by"] or [""]
    ended = [
        each for way in ways for each in watches.unwatch(ctx.tx, target, channel=way)
    ]
    return Reply(
        summary=f"You no longer watch {target}"[:150],
        data={"items": [_view(each) for each in ended], "next": None},
    )


@command(
    "watch list", http="GET /v1/watches", result=WatchPageData, examples=["watch list"]
)
def list_(ctx: Context) -> Reply:
    """List what you watch; a watch ends with its object."""
    mine = watches.list_(ctx.tx)
    if not mine:
        return blocks.empty("You watch nothing", ("How to", "help watch"))
    return Reply(
        summary=f"You watch {blocks.count(len(mine), 'thing')}",
        blocks=(
            blocks.table(
                ("id", "by", "account", "since"),
                [
                    (
                        each.target,
                        each.channel,
                        each.account,
                        blocks.age(each.created_at, ctx.tx.now),
                    )
                    for each in mine
                ],
            ),
        ),
        data={"items": [_view(each) for each in mine], "next": None},
    )


COMMANDS: Sequence[Command] = (watch, unwatch, list_)


def _require_visible(ctx: Context, target: str) -> None:
    """Refuse what is not there, cannot be watched, or may not be seen.

    Raises: InvalidArgument, MissingScope, NotFound.
    """
    prefix = target.partition("-")[0]
    get_one = _GETS.get(prefix)
    if get_one is None:
        raise InvalidArgument(
            f"{target[:40]} is nothing that can be watched",
            fix=["watch T-12"],
            argument="target",
        )
    scope = f"{PREFIX_NOUNS[prefix]}s:read"
    if not ctx.principal.may(scope):
        raise MissingScope(scope, who=ctx.principal.name)
    get_one(ctx.tx, target)


def _watch_here(ctx: Context, target: str) -> Watch:
    origin = ctx.origin
    if not origin.reply_to:
        raise InvalidArgument(
            "nothing can be told here later",
            fix=[f"watch {target} by {each}" for each in _WAYS],
            argument="by",
        )
    return watches.watch(
        ctx.tx,
        target,
        channel=origin.channel,
        account=origin.account,
        place={**lasting(origin.reply_to), "this": target},
    )


def _watch_by(ctx: Context, target: str, channel: str) -> Watch:
    """Watch on one of the caller's linked accounts.

    Raises: InvalidArgument for a channel that can tell nobody anything, NotFound when
            the caller has no account there.
    """
    if channel not in _WAYS:
        raise InvalidArgument(
            f"{channel[:40]!r} is no way to be told",
            fix=[f"watch {target} by {each}" for each in _WAYS],
            argument="by",
        )
    mine = links.list_(ctx.tx, ctx.principal.id)
    account = next(
        (each.account for each in mine if each.account.channel == channel), None
    )
    if account is None:
        raise NotFound(
            f"an account of yours on {channel}",
            fix=[f"send 'link' on {channel}", "whoami"],
        )
    return watches.watch(
        ctx.tx,
        target,
        channel=channel,
        account=account.account,
        place={**direct_place(channel, account.sender), "this": target},
    )


def _view(watch: Watch) -> dict[str, Json]:
    return {
        "target": watch.target,
        "channel": watch.channel,
        "account": watch.account,
        "since": to_iso(watch.created_at),
    }
