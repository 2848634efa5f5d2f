"""The webhook channel: what others deliver fills in the arguments of a fixed command."""

from channels.base import Capabilities, ChannelSpec

SPEC = ChannelSpec(name="webhook", capabilities=Capabilities())
BODY_LIMIT_BYTES = 1_048_576
