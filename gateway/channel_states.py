"""The gateway's copy of which channels are on and what they may take."""

from commands.registry import Command
from core.database import Database, Tx
from core.delivery import channels
from core.delivery.model import ChannelState
from core.kernel.principal import TenantId, system
from core.kernel.problems import ChannelOff
from gateway.limits import Limiter
from gateway.sweeper import list_tenants

_ALWAYS = frozenset(
    {"channel enable", "channel list", "channel show", "help", "whoami"}
)


class ChannelStates:
    """Asked for every message, so kept in memory and read again every second."""

    def __init__(self, db: Database, limiter: Limiter) -> None:
        self._db = db
        self._limiter = limiter
        self._states: dict[tuple[str, str], ChannelState] = {}

    def require_on(self, tenant: TenantId, channel: str, command: Command) -> None:
        """Let a message pass unless its channel is disabled.

        Raises: ChannelOff; the commands that mend it pass all the same.
        """
        state = self._states.get((tenant, channel))
        if state is None or state.is_enabled or command.name in _ALWAYS:
            return
        raise ChannelOff(
            f"{state.changed_by} disabled {channel}: {state.reason or 'no reason given'}",
            fix=[f"channel enable {channel}"],
        )

    def is_on(self, tenant: TenantId, channel: str) -> bool:
        """Tell whether a channel is enabled, as it was read last."""
        state = self._states.get((tenant, channel))
        return state is None or state.is_enabled

    async def reload(self) -> None:
        """Read the states of all tenants and hand their rates to the limiter."""
        for tenant in await self._db.read(list_tenants, by=system()):
            states = await self._db.read(_list, by=system(tenant))
            for state in states:
                known = self._states.get((tenant, state.channel))
                if known != state:
                    self._states[tenant, state.channel] = state
                    self._limiter.configure(tenant, state.channel, state.limits)


def _list(tx: Tx) -> list[ChannelState]:
    return list(channels.list_states(tx))
