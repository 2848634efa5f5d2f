"""How a channel stands, put together from its switch, its accounts and its outbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from commands import blocks
from core.delivery.health.model import AccountHealth, Link
from core.delivery.model import ChannelState
from core.delivery.outbox.model import OutboxState
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.reply import Block

# Their senders have accounts elsewhere: without one they cannot be used.
_WITH_ACCOUNTS = frozenset({"slack", "email"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One channel as it stands.

    Shape:  `waiting` and `dead` count its deliveries.
    """

    name: str
    switch: ChannelState
    accounts: Sequence[AccountHealth]
    waiting: int
    dead: int

    @property
    def state(self) -> str:
        """Tell whether it can be used: connected, degraded or off."""
        links = {each.link for each in self.accounts}
        if not self.switch.is_enabled:
            return Link.OFF.value
        if Link.DEGRADED in links:
            return Link.DEGRADED.value
        is_usable = Link.CONNECTED in links or self.name not in _WITH_ACCOUNTS
        return (Link.CONNECTED if is_usable else Link.OFF).value

    @property
    def error(self) -> str:
        """The first thing that is wrong with an account, "" when nothing is."""
        return next((each.error for each in self.accounts if each.error), "")

    @property
    def fix(self) -> str:
        """What to do about it."""
        return next((each.fix for each in self.accounts if each.error), "")


def standings(
    names: Sequence[str],
    *,
    switches: Mapping[str, ChannelState],
    accounts: Sequence[AccountHealth],
    deliveries: Mapping[tuple[str, OutboxState], int],
) -> Sequence[Standing]:
    """Put together how some channels stand."""
    return [
        Standing(
            name=name,
            switch=switches.get(name) or ChannelState(channel=name),
            accounts=[each for each in accounts if each.channel == name],
            waiting=deliveries.get((name, OutboxState.WAITING), 0),
            dead=deliveries.get((name, OutboxState.DEAD), 0),
        )
        for name in names
    ]


def summary_of(stand: Standing) -> str:
    """Say in a few words how a channel is."""
    if not stand.switch.is_enabled:
        return "off"
    if stand.state == Link.CONNECTED.value:
        return "on"
    return f"{stand.state}: {stand.error}" if stand.error else stand.state


def limits_of(switch: ChannelState) -> str:
    """Write the limits that were set."""
    return ", ".join(f"{rate} per {name}" for name, rate in switch.limits.items())


def accounts_of(stand: Standing) -> Sequence[Block]:
    """Show the accounts of a channel, if it has any."""
    if not stand.accounts:
        return ()
    columns = ("account", "state", "last in", "last out", "reconnects", "error", "fix")
    rows = [
        (
            each.account,
            each.link.value,
            to_iso(each.last_in) if each.last_in else "",
            to_iso(each.last_out) if each.last_out else "",
            each.reconnects,
            each.error,
            each.fix,
        )
        for each in stand.accounts
    ]
    return (blocks.table(columns, rows),)


def view_of(stand: Standing) -> dict[str, Json]:
    """Show a channel as the `data` of a reply."""
    switch = stand.switch
    return {
        "id": stand.name,
        "channel": stand.name,
        "is_enabled": switch.is_enabled,
        "state": stand.state,
        "limits": dict(switch.limits),
        "changed_by": switch.changed_by,
        "reason": switch.reason,
        "error": stand.error,
        "fix": stand.fix,
        "waiting": stand.waiting,
        "dead": stand.dead,
        "accounts": [
            {
                "account": each.account,
                "state": each.link.value,
                "last_in": to_iso(each.last_in) if each.last_in else None,
                "last_out": to_iso(each.last_out) if each.last_out else None,
                "error": each.error,
                "fix": each.fix,
                "reconnects": each.reconnects,
            }
            for each in stand.accounts
            if each.account
        ],
    }
