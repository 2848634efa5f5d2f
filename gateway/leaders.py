"""Whether this process is the one that does what only one needs to do."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from core.database import Database, Tx
from core.kernel.ids import random_id
from core.kernel.principal import system
from core.leases import leaders

TTL = timedelta(seconds=5)

Leads = Callable[[], Awaitable[bool]]
"""Asks whether this process may do a thing now; asked once there is something to do."""


async def always() -> bool:
    """Let do it whoever asks."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of one leadership. Units: `ends_at` by the monotonic clock."""

    is_mine: bool
    ends_at: float


class Leaders:
    """Asks for leaderships, and remembers the answers while they hold.

    Shape:  nothing is written while nobody asks, and for somebody who asks all the time
            once in half a `ttl`. Who dies is replaced within `ttl`.
    """

    def __init__(self, db: Database, *, ttl: timedelta = TTL) -> None:
        self.holder = random_id("leader")
        self._db = db
        self._ttl = ttl
        self._known: dict[str, _Known] = {}

    async def leads(self, name: str) -> bool:
        """Tell whether this process leads, by becoming the leader if there is none.

        Raises: Unavailable.
        """
        known = self._known.get(name)
        if known is not None and self._holds(known):
            return known.is_mine
        # Counted from before the answer, so that ours ends no later than in the database.
        asked_at = time.monotonic()
        is_mine, lasting = await self._db.write(
            partial(_lead, name=name, holder=self.holder, ttl=self._ttl), by=system()
        )
        ends_at = asked_at + lasting.total_seconds()
        self._known[name] = _Known(is_mine=is_mine, ends_at=ends_at)
        return is_mine

    async def resign(self) -> None:
        """Give up all leaderships, so that others need not wait for their end.

        Raises: Unavailable.
        """
        mine = [name for name, known in self._known.items() if known.is_mine]
        self._known.clear()
        if mine:
            await self._db.write(
                partial(_resign, names=mine, holder=self.holder), by=system()
            )

    def view(self) -> Mapping[str, bool]:
        """Tell of each leadership that was asked for whether it is ours."""
        now = time.monotonic()
        return {
            name: known.is_mine and now < known.ends_at
            for name, known in self._known.items()
        }

    def _holds(self, known: _Known) -> bool:
        """Tell whether an answer can still be trusted; our own is renewed half-way."""
        left = known.ends_at - time.monotonic()
        return left > (self._ttl.total_seconds() / 2 if known.is_mine else 0)


def _lead(tx: Tx, *, name: str, holder: str, ttl: timedelta) -> tuple[bool, timedelta]:
    leader = leaders.lead(tx, name, holder=holder, ttl=ttl)
    return leader.holder == holder, leader.until - tx.now


def _resign(tx: Tx, *, names: list[str], holder: str) -> None:
    for name in names:
        leaders.resign(tx, name, holder=holder)
