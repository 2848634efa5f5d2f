"""Folds a flood of equal refusals into one audit row per source, reason and minute."""

from collections.abc import Hashable
from dataclasses import replace

from core.audit.model import AuditDraft
from core.database import Database
from core.kernel.clock import Clock
from core.kernel.principal import Principal

_SOURCES_LIMIT = 10_000


class Floods:
    """Writes the first refusal at once and the rest of its minute as one row.

    Units:  memory is bounded by 10,000 sources a minute; further ones share a row.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._minute = 0
        self._held: dict[Hashable, tuple[AuditDraft, Principal]] = {}

    def count(self, entry: AuditDraft, *, by: Principal) -> None:
        """Take note of one refusal."""
        self.tick()
        source = (by.tenant, entry.actor, entry.channel, entry.account, entry.action)
        if len(self._held) >= _SOURCES_LIMIT and source not in self._held:
            source = (by.tenant, "many", entry.channel, "", "")
        held = self._held.get(source)
        if held is None:
            self._held[source] = (replace(entry, count=0), by)
            self._write(entry, by)
        else:
            held[0].count += 1

    def tick(self) -> None:
        """Write what a minute that is over has gathered."""
        minute = int(self._clock.now().timestamp()) // 60
        if minute != self._minute:
            self._minute = minute
            self.flush()

    def flush(self) -> None:
        """Write everything held back, such as at shutdown."""
        held, self._held = self._held, {}
        for entry, by in held.values():
            if entry.count:
                self._write(entry, by)

    def _write(self, entry: AuditDraft, by: Principal) -> None:
        self._db.post(lambda tx: tx.record(entry), by=by)
