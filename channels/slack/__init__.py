"""The Slack channel: `/ops`, mentions, direct messages, buttons, forms and a home tab."""

from channels.base import Capabilities, ChannelSpec

SPEC = ChannelSpec(
    name="slack",
    capabilities=Capabilities(
        threads=True,
        edit=True,
        ephemeral=True,
        buttons=True,
        modals=True,
        max_text=13_000,
        max_blocks=50,
        max_rate=60,
    ),
)
