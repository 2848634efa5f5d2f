"""Plugins that pip installed: what the entry points `opswire.plugins` name."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from commands.registry import Command
from gateway.plugins.importing import checked_commands
from gateway.plugins.model import Plugin, PluginFault

GROUP = "opswire.plugins"


def find_installed() -> Sequence[EntryPoint]:
    """List the entry points by name; none of them is loaded."""
    return sorted(entry_points(group=GROUP), key=lambda each: each.name)


def load_installed(point: EntryPoint) -> Plugin:
    """Load what an entry point names: a Command, several of them, or a Plugin.

    Raises: whatever its code raises; PluginFault when it is none of these.
    """
    found = point.load()
    match found:
        case Command():
            return Plugin(commands=(found,))
        case Plugin():
            _require_builders(found)
            return _checked(found) if found.commands else found
    return Plugin(commands=checked_commands(found, where=point.value))


def _checked(plugin: Plugin) -> Plugin:
    commands = checked_commands(plugin.commands, where="commands")
    return Plugin(commands=commands, channels=plugin.channels)


def _require_builders(plugin: Plugin) -> None:
    for name, build in plugin.channels.items():
        if not callable(build):
            raise PluginFault(
                f"the channel {name!r} is {build!r}, which builds no door"
            )
