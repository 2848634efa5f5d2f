"""The one list of what runs here; a command that is not in it does not exist."""

from collections.abc import Sequence

from commands import builtins, leases, tasks
from commands.registry import Command

COMMANDS: Sequence[Command] = (
    *builtins.COMMANDS,
    *tasks.COMMANDS,
    *leases.COMMANDS,
)
