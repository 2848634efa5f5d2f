"""The channels that plugins bring, built like Opswire's own."""

from collections.abc import Mapping
from functools import partial

from gateway.doors.door import Builder, Door, Hall
from gateway.plugins.aside import wait_aside
from gateway.plugins.model import Offer, PluginFault
from gateway.plugins.stock import Stock
from gateway.supervisor import Failed


def with_plugins(own: Mapping[str, Builder], stock: Stock) -> Mapping[str, Builder]:
    """List what builds each channel; a plugin whose channel fails is disabled."""
    found = dict(own)
    for offer in stock.live():
        taken = offer.brings.channels.keys() & found.keys()
        if taken:
            fault = PluginFault(f"there is a channel {min(taken)!r} already")
            stock.disable(offer, fault)
            continue
        for channel, build in offer.brings.channels.items():
            found[channel] = partial(_open, stock, offer, channel, build)
    return found


def _open(
    stock: Stock, offer: Offer, channel: str, build: Builder, hall: Hall
) -> Door | None:
    """Build a door; None when that fails, and then the plugin is told of."""
    door = wait_aside(partial(_build, channel, build, hall), name=channel)
    if isinstance(door, Failed):
        stock.disable(offer, door.fault)
        return None
    return door


def _build(channel: str, build: Builder, hall: Hall) -> Door | None:
    door = build(hall)
    if door is None:
        return None
    if not isinstance(door, Door):
        raise PluginFault(f"the channel {channel!r} built {door!r}, which is no Door")
    if door.spec.name != channel:
        raise PluginFault(f"the channel {channel!r} calls itself {door.spec.name!r}")
    return door
