"""Commands over plugins: which there are, what they bring, and why one is disabled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from typing_extensions import TypedDict

from commands import blocks
from commands.context import Context
from commands.registry import Command, command
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import NotFound
from core.kernel.reply import Reply


class PluginKind(StrEnum):
    """Where a plugin comes from."""

    FILE = "file"
    INSTALLED = "installed"


class PluginState(StrEnum):
    """Whether what a plugin brings can be used."""

    LIVE = "live"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStanding:
    """How one plugin stands in this gateway.

    Shape:  `place` is its file, or the object that its distribution names. `fault` says
            why it is disabled; `raised` counts the times that a handler of a live one
            failed, and `last_raised` is how the last of them did. `slow` counts those
            that took more than a second, and `last_slow` says which did last; `note`
            is what its author should know.
    """

    name: str
    kind: PluginKind
    place: str
    commands: Sequence[str] = ()
    channels: Sequence[str] = ()
    fault: str = ""
    raised: int = 0
    last_raised: str = ""
    slow: int = 0
    last_slow: str = ""
    note: str = ""
    loaded_at: datetime | None = None

    @property
    def state(self) -> PluginState:
        """Whether it can be used."""
        return PluginState.DISABLED if self.fault else PluginState.LIVE


class PluginData(TypedDict):
    """One plugin."""

    plugin: str
    kind: str
    place: str
    state: str
    commands: list[str]
    channels: list[str]
    fault: str
    raised: int
    last_raised: str
    slow: int
    last_slow: str
    note: str
    loaded_at: str | None


class PluginPageData(TypedDict):
    """All plugins."""

    items: list[PluginData]
    next: str | None


class Plugins(Protocol):
    """Knows the plugins of this gateway."""

    def standings(self) -> Sequence[PluginStanding]:
        """Tell how each stands, by name."""


class _Looks:
    """The handlers, which look at what this gateway has loaded."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def list_(self, _: Context) -> Reply:
        """List the plugins: what they bring, and why one is disabled."""
        stands = self._plugins.standings()
        disabled = sum(each.state is PluginState.DISABLED for each in stands)
        told = f", {disabled} disabled" if disabled else ""
        return Reply(
            summary=f"{blocks.count(len(stands), 'plugin')}{told}",
            blocks=(
                blocks.table(
                    ("plugin", "kind", "state", "commands", "channels", "fault"),
                    [
                        (
                            each.name,
                            each.kind.value,
                            each.state.value,
                            ", ".join(each.commands),
                            ", ".join(each.channels),
                            each.fault or each.last_raised or _slowness(each),
                        )
                        for each in stands
                    ],
                ),
            ),
            data={"items": [_view(each) for each in stands], "next": None},
        )

    def show(self, _: Context, plugin: str) -> Reply:
        """Show one plugin, and the whole reason why it is disabled."""
        known = {each.name: each for each in self._plugins.standings()}
        if plugin not in known:
            raise NotFound(f"the plugin {plugin[:40]}", fix=["plugin list"])
        found = known[plugin]
        return Reply(
            summary=f"{found.name} is {found.state.value}",
            blocks=(
                blocks.fields(
                    ("kind", found.kind.value),
                    ("place", found.place),
                    ("commands", ", ".join(found.commands)),
                    ("channels", ", ".join(found.channels)),
                    ("fault", found.fault),
                    ("raised", found.raised or ""),
                    ("last raised", found.last_raised),
                    ("slow", found.slow or ""),
                    ("last slow", found.last_slow),
                    ("note", found.note),
                    ("loaded at", to_iso(found.loaded_at) if found.loaded_at else ""),
                ),
            ),
            data=_view(found),
        )


def plugin_commands(plugins: Plugins) -> Sequence[Command]:
    """List the commands that look at `plugins`."""
    looks = _Looks(plugins)
    list_ = command(
        "plugin list",
        scope="plugins:read",
        http="GET /v1/plugins",
        result=PluginPageData,
        examples=["plugin list"],
    )
    show = command(
        "plugin show",
        scope="plugins:read",
        http="GET /v1/plugins/{plugin}",
        target="plugin",
        result=PluginData,
        examples=["plugin show hello"],
    )
    return (list_(looks.list_), show(looks.show))


def _slowness(standing: PluginStanding) -> str:
    return f"slow: {standing.last_slow}" if standing.last_slow else ""


def _view(standing: PluginStanding) -> dict[str, Json]:
    return {
        "plugin": standing.name,
        "kind": standing.kind.value,
        "place": standing.place,
        "state": standing.state.value,
        "commands": list(standing.commands),
        "channels": list(standing.channels),
        "fault": standing.fault,
        "raised": standing.raised,
        "last_raised": standing.last_raised,
        "slow": standing.slow,
        "last_slow": standing.last_slow,
        "note": standing.note,
        "loaded_at": to_iso(standing.loaded_at) if standing.loaded_at else None,
    }
