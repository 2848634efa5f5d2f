"""The one list of what runs here; a command that is not in it does not exist."""

from collections.abc import Sequence

from commands import (
    agents,
    approvals,
    audit,
    builtins,
    channels,
    events,
    keys,
    leases,
    linking,
    needs,
    outbox,
    press,
    states,
    task_moves,
    tasks,
    users,
    watch,
    webhook_deliveries,
    webhook_replays,
    webhook_test,
    why,
)
from commands.registry import Command

COMMANDS: Sequence[Command] = (
    *builtins.COMMANDS,
    *needs.COMMANDS,
    *why.COMMANDS,
    *linking.COMMANDS,
    *press.COMMANDS,
    *tasks.COMMANDS,
    *task_moves.COMMANDS,
    *leases.COMMANDS,
    *events.COMMANDS,
    *states.COMMANDS,
    *agents.COMMANDS,
    *channels.COMMANDS,
    *outbox.COMMANDS,
    *watch.COMMANDS,
    *webhook_deliveries.COMMANDS,
    *webhook_replays.COMMANDS,
    *webhook_test.COMMANDS,
    *users.COMMANDS,
    *keys.COMMANDS,
    *approvals.COMMANDS,
    *audit.COMMANDS,
)
