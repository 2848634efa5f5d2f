"""The WebSocket channel: several commands in flight, resumed after every cut."""

from channels.base import Capabilities, ChannelSpec

SPEC = ChannelSpec(
    name="websocket",
    capabilities=Capabilities(edit=True, buttons=True, max_text=1_048_576),
)

__all__ = ["SPEC"]
