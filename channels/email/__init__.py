"""The e-mail channel: commands in mails, answers in the same thread."""

from channels.base import Capabilities, ChannelSpec

SPEC = ChannelSpec(
    name="email",
    capabilities=Capabilities(threads=True, files=True, max_rate=20),
)

__all__ = ["SPEC"]
