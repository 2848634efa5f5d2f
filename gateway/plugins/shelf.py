"""How the plugins of this gateway stand, and how often what they bring has failed."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from commands.plugins import PluginStanding, PluginState
from gateway.plugins.calls import STUCK_SECONDS, Call, Calls

_log = logging.getLogger(__name__)

_LOG_SECONDS = 60.0


class Shelf:
    """Holds the standings, for every thread that asks."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._told_at: dict[str, float] = {}
        self._standings: Mapping[str, PluginStanding] = {}
        self._lock = Lock()

    def standings(self) -> Sequence[PluginStanding]:
        """Tell how each stands, by name; one that does not return is disabled."""
        stuck = {each.key: each for each in self._stuck()}
        return [
            replace(each, fault=f"disabled until {self.calls.told(stuck[key])} ends")
            if key in stuck and not each.fault
            else each
            for key, each in self._standings.items()
        ]

    def watch(self) -> None:
        """Log once what does not return, for it might never."""
        for each in self._stuck():
            if not each.is_told:
                each.is_told = True
                told = {"plugin": each.plugin, "command": each.command}
                _log.error("plugin.stuck", extra=told)

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

    def slow(self, key: str, command: str, seconds: float) -> None:
        """Count a handler that took long; it is logged once a minute."""
        told = f"{command} took {seconds:.1f} s"
        with self._lock:
            if stand := self._standings.get(key):
                slowed = replace(stand, slow=stand.slow + 1, last_slow=told)
                self._standings = {**self._standings, key: slowed}
            now = time.monotonic()
            is_due = now - self._told_at.get(key, -_LOG_SECONDS) >= _LOG_SECONDS
            if is_due:
                self._told_at[key] = now
        if is_due:
            where = {"plugin": key.partition(":")[2], "command": command}
            _log.warning("plugin.slow", extra={**where, "seconds": round(seconds, 1)})

    def summary(self) -> str:
        """Say how many are live, and which are disabled."""
        stands = self.standings()
        disabled = [each.name for each in stands if each.state is PluginState.DISABLED]
        told = f"; disabled: {', '.join(disabled)}" if disabled else ""
        return f"{len(stands) - len(disabled)} live{told}"

    def _stuck(self) -> Sequence[Call]:
        lasting = self.calls.lasting(STUCK_SECONDS)
        return [
            each for each in lasting if each.is_current and self.calls.is_stuck(each)
        ]


def _counted(now: PluginStanding, before: PluginStanding | None) -> PluginStanding:
    if before is None or before.loaded_at != now.loaded_at:
        return now
    return replace(
        now,
        raised=before.raised,
        last_raised=before.last_raised,
        slow=before.slow,
        last_slow=before.last_slow,
    )
