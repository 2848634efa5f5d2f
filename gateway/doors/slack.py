"""The Slack door, loaded only where Slack is set up.

Bolt and aiohttp take a third of a second and 20 MiB, which nobody else should pay for.
"""

from importlib import import_module

from gateway.doors.door import Builder, Door, Hall


def open_slack(hall: Hall) -> Door | None:
    """Build the door; none when neither a token nor a signing secret is set."""
    settings = hall.core.settings.slack
    secrets = (settings.bot_token, settings.app_token, settings.signing_secret)
    if not any(each.get_secret_value() for each in secrets):
        return None
    build: Builder = import_module("gateway.doors.slack_door").build
    return build(hall)
