"""How the plugins of this gateway stand, and how often what they bring has failed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from commands.plugins import PluginStanding, PluginState


class Shelf:
    """Holds the standings, for every thread that asks."""

    def __init__(self) -> None:
        self._standings: Mapping[str, PluginStanding] = {}
        self._lock = Lock()

    def standings(self) -> Sequence[PluginStanding]:
        """Tell how each stands, by name."""
        return list(self._standings.values())

    def put(self, standings: Mapping[str, PluginStanding]) -> None:
        """Have these stand there, by key; what was read anew is counted anew."""
        with self._lock:
            before = self._standings
            self._standings = {
                key: _counted(each, before.get(key))
                for key, each in sorted(
                    standings.items(), key=lambda pair: (pair[1].name, pair[0])
                )
            }

    def count(self, key: str, fault: str) -> None:
        """Count a handler that failed, unless its plugin has gone."""
        with self._lock:
            if stand := self._standings.get(key):
                failed = replace(stand, raised=stand.raised + 1, last_raised=fault)
                self._standings = {**self._standings, key: failed}

    def summary(self) -> str:
        """Say how many are live, and which are disabled."""
        stands = self.standings()
        disabled = [each.name for each in stands if each.state is PluginState.DISABLED]
        told = f"; disabled: {', '.join(disabled)}" if disabled else ""
        return f"{len(stands) - len(disabled)} live{told}"


def _counted(now: PluginStanding, before: PluginStanding | None) -> PluginStanding:
    if before is None or before.loaded_at != now.loaded_at:
        return now
    return replace(now, raised=before.raised, last_raised=before.last_raised)
