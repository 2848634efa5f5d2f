"""Commands over channels: whether they are on, what they may take, how they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from commands import blocks
from commands.channel_views import (
    Standing,
    accounts_of,
    limits_of,
    standings,
    summary_of,
    view_of,
)
from commands.context import AsyncContext, Context
from commands.delivery_views import ChannelData, ChannelPageData, ChannelTestData
from commands.registry import Command, command
from commands.schema import Doc
from commands.subscription_health import receivers_of
from core.database import Tx
from core.delivery import channels
from core.delivery.health import service as health
from core.delivery.outbox import service as outbox
from core.kernel.principal import Principal
from core.kernel.problems import NotFound
from core.kernel.reply import Reply

CHANNELS = ("rest", "cli", "websocket", "webhook", "slack", "email")
Dimension = Literal["channel", "tenant", "principal", "family"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeStep:
    """One step of a channel's test.

    Units:  `waited_ms` is 0 for what takes no time.
    """

    name: str
    is_ok: bool
    waited_ms: int = 0
    detail: str = ""
    fix: str = ""


class Probes(Protocol):
    """Walks through what a channel needs."""

    def knows(self, channel: str) -> bool:
        """Tell whether this gateway has a door of that name."""

    async def probe(self, channel: str, *, by: Principal) -> Sequence[ProbeStep]:
        """Try step by step; never raises for what it finds."""


@command(
    "channel list",
    scope="channels:read",
    http="GET /v1/channels",
    result=ChannelPageData,
    examples=["channel list"],
)
def list_(ctx: Context) -> Reply:
    """List the channels: on or off, limits, last message."""
    stands = _stands(ctx.tx)
    return Reply(
        summary=blocks.count(len(stands), "channel"),
        blocks=(
            blocks.table(
                ("channel", "state", "waiting", "dead", "limits", "error", "fix"),
                [
                    (
                        each.name,
                        each.state,
                        each.waiting or "",
                        each.dead or "",
                        limits_of(each.switch),
                        each.error or each.switch.reason,
                        each.fix,
                    )
                    for each in stands
                ],
            ),
        ),
        data={"items": [view_of(each) for each in stands], "next": None},
    )


@command(
    "channel show",
    scope="channels:read",
    http="GET /v1/channels/{channel}",
    target="channel",
    result=ChannelData,
    examples=["channel show webhook"],
)
def show(ctx: Context, channel: str) -> Reply:
    """Show one channel."""
    return _one(ctx.tx, _known(ctx.tx, channel))


def _switch(tx: Tx, channel: str) -> str:
    """What consent to switching a channel is bound to."""
    return "on" if channels.get_state(tx, channel).is_enabled else "off"


@command(
    "channel disable",
    scope="channels:write",
    danger="risky",
    target="channel",
    fingerprint=_switch,
    http="POST /v1/channels/{channel}/disable",
    result=ChannelData,
    alters="channels",
    examples=['channel disable webhook --reason "flood"'],
)
def disable(ctx: Context, channel: str) -> Reply:
    """Have a channel refuse every command until it is enabled again."""
    channels.disable(ctx.tx, _known(ctx.tx, channel), reason=ctx.options.reason)
    return _one(ctx.tx, channel)


@command(
    "channel enable",
    scope="channels:write",
    danger="write",
    target="channel",
    http="POST /v1/channels/{channel}/enable",
    result=ChannelData,
    alters="channels",
    examples=["channel enable webhook"],
)
def enable(ctx: Context, channel: str) -> Reply:
    """Let a channel take commands again."""
    channels.enable(ctx.tx, _known(ctx.tx, channel))
    return _one(ctx.tx, channel)


@command(
    "channel limit",
    scope="channels:write",
    danger="write",
    target="channel",
    http="POST /v1/channels/{channel}/limit",
    result=ChannelData,
    alters="channels",
    examples=[
        "channel limit rest 600/minute --per principal",
        "channel limit rest default",
    ],
)
def limit(
    ctx: Context,
    channel: str,
    rate: Annotated[str, Doc("60/minute, or default.")],
    *,
    per: Annotated[Dimension, Doc("What is counted.")] = "principal",
) -> Reply:
    """Set how much a channel takes; live within a second."""
    wanted = "" if rate == "default" else rate
    known = _known(ctx.tx, channel)
    channels.set_limit(ctx.tx, known, dimension=per, rate=wanted)
    return _one(ctx.tx, channel)


COMMANDS: Sequence[Command] = (list_, show, disable, enable, limit)


class _Tests:
    """The handler that walks through a channel, and so needs the world outside."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes

    async def test(self, ctx: AsyncContext, channel: str) -> Reply:
        """Go through what a channel needs, step by step."""
        if channel not in CHANNELS and not self._probes.knows(channel):
            raise _unknown(channel)
        steps = await self._probes.probe(channel, by=ctx.principal)
        passed = sum(each.is_ok for each in steps)
        return Reply(
            summary=f"{channel}: {passed} of {len(steps)} steps pass",
            blocks=(
                blocks.table(
                    ("step", "result", "ms", "detail", "fix"),
                    [
                        (
                            each.name,
                            "pass" if each.is_ok else "fail",
                            each.waited_ms,
                            each.detail,
                            each.fix,
                        )
                        for each in steps
                    ],
                ),
            ),
            data={
                "channel": channel,
                "ok": passed == len(steps),
                "steps": [
                    {
                        "step": each.name,
                        "ok": each.is_ok,
                        "ms": each.waited_ms,
                        "detail": each.detail,
                        "fix": each.fix,
                    }
                    for each in steps
                ],
            },
        )


def channel_commands(probes: Probes) -> Sequence[Command]:
    """List the commands that look outside, which `probes` does."""
    test = command(
        "channel test",
        scope="channels:read",
        http="POST /v1/channels/{channel}/test",
        target="channel",
        result=ChannelTestData,
        examples=["channel test webhook"],
    )(_Tests(probes).test)
    return (test,)


def channel_names(tx: Tx) -> Sequence[str]:
    """List our own channels, then those of plugins, as far as one was seen to run."""
    seen = (each.channel for each in health.list_(tx))
    return list(dict.fromkeys((*CHANNELS, *seen)))


def _known(tx: Tx, channel: str) -> str:
    if channel not in channel_names(tx):
        raise _unknown(channel)
    return channel


def _unknown(channel: str) -> NotFound:
    return NotFound(f"the channel {channel[:40]}", fix=["channel list"])


def _stands(tx: Tx) -> Sequence[Standing]:
    return standings(
        channel_names(tx),
        switches={each.channel: each for each in channels.list_states(tx)},
        accounts=[*health.list_(tx), *receivers_of(tx)],
        deliveries=outbox.count_open(tx),
    )


def _one(tx: Tx, channel: str) -> Reply:
    stand = next(each for each in _stands(tx) if each.name == channel)
    return Reply(
        summary=f"{channel} is {summary_of(stand)}"[:150],
        blocks=(
            blocks.fields(
                ("limits", limits_of(stand.switch) or "default"),
                ("reason", stand.switch.reason),
                ("changed by", stand.switch.changed_by),
                ("waiting to leave", stand.waiting or ""),
                ("not delivered", stand.dead or ""),
            ),
            *accounts_of(stand),
        ),
        data=view_of(stand),
    )
