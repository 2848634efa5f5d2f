"""Commands over channels: whether they are on, what they may take, how they are."""

from collections.abc import Sequence
from typing import Annotated, Literal

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from commands.schema import Doc
from commands.views import ChannelData, ChannelPageData, ChannelTestData
from core.database import Tx
from core.delivery import channels
from core.delivery.model import ChannelState
from core.kernel.jsons import Json
from core.kernel.problems import NotFound
from core.kernel.reply import Reply

CHANNELS = ("rest", "cli", "websocket", "webhook", "slack", "email")
Dimension = Literal["channel", "tenant", "principal", "family"]


@command(
    "channel list",
    scope="channels:read",
    http="GET /v1/channels",
    result=ChannelPageData,
    examples=["channel list"],
)
def list_(ctx: Context) -> Reply:
    """List the channels: on or off, limits, last message."""
    states = [channels.get_state(ctx.tx, name) for name in CHANNELS]
    shown = [_view(each) for each in states]
    return Reply(
        summary=blocks.count(len(states), "channel"),
        blocks=(
            blocks.table(
                ("channel", "state", "limits", "reason"),
                [
                    (each.channel, _state(each), _limits(each), each.reason)
                    for each in states
                ],
            ),
        ),
        data={"items": list[Json](shown), "next": None},
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
    return _one(channels.get_state(ctx.tx, _known(channel)))


def _switch(tx: Tx, channel: str) -> str:
    """What consent to switching a channel is bound to."""
    return _state(channels.get_state(tx, channel))


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
    state = channels.disable(ctx.tx, _known(channel), reason=ctx.options.reason)
    return _one(state)


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
    return _one(channels.enable(ctx.tx, _known(channel)))


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
    return _one(channels.set_limit(ctx.tx, _known(channel), dimension=per, rate=wanted))


@command(
    "channel test",
    scope="channels:read",
    http="POST /v1/channels/{channel}/test",
    target="channel",
    result=ChannelTestData,
    examples=["channel test webhook"],
)
def test(ctx: Context, channel: str) -> Reply:
    """Go through what a channel needs, step by step."""
    state = channels.get_state(ctx.tx, _known(channel))
    steps: list[tuple[str, bool, str]] = [
        ("known", True, ""),
        ("enabled", state.is_enabled, f"channel enable {channel}"),
        ("database answers", True, ""),
    ]
    passed = sum(is_ok for _, is_ok, _ in steps)
    return Reply(
        summary=f"{channel}: {passed} of {len(steps)} steps pass",
        blocks=(
            blocks.table(
                ("step", "result", "fix"),
                [
                    (name, "pass" if is_ok else "fail", "" if is_ok else fix)
                    for name, is_ok, fix in steps
                ],
            ),
        ),
        data={
            "channel": channel,
            "ok": passed == len(steps),
            "steps": [
                {"step": name, "ok": is_ok, "fix": "" if is_ok else fix}
                for name, is_ok, fix in steps
            ],
        },
    )


COMMANDS: Sequence[Command] = (list_, show, disable, enable, limit, test)


def _known(channel: str) -> str:
    if channel not in CHANNELS:
        raise NotFound(f"the channel {channel[:40]}", fix=["channel list"])
    return channel


def _state(state: ChannelState) -> str:
    return "on" if state.is_enabled else "off"


def _limits(state: ChannelState) -> str:
    return ", ".join(f"{rate} per {name}" for name, rate in state.limits.items())


def _view(state: ChannelState) -> dict[str, Json]:
    return {
        "id": state.channel,
        "channel": state.channel,
        "is_enabled": state.is_enabled,
        "state": "connected" if state.is_enabled else "off",
        "limits": dict(state.limits),
        "changed_by": state.changed_by,
        "reason": state.reason,
    }


def _one(state: ChannelState) -> Reply:
    return Reply(
        summary=f"{state.channel} is {_state(state)}",
        blocks=(
            blocks.fields(
                ("limits", _limits(state) or "default"),
                ("reason", state.reason),
                ("changed by", state.changed_by),
            ),
        ),
        data=_view(state),
    )
