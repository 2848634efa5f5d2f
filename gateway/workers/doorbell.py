"""Rings for runs that wait, so that Celery workers take them.

A ring is a hint. What was rung for and still waits is rung for again, less and less
often; while nobody can be reached nothing is lost, and nothing but this loop waits.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from core.database import Database
from core.kernel.principal import TenantId, system
from core.runs import waiting
from gateway.bell import Bell
from gateway.hearing import Hearing
from gateway.leaders import Leaders
from gateway.workers.local import Tenants

LEADERSHIP = "doorbell"

_AT_ONCE = 100
_REST_SECONDS = 0.01
_LOOK_SECONDS = 1.0
_FIRST_AGAIN_SECONDS = 5.0
_LONGEST_AGAIN_SECONDS = 300.0
_LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)

Ring = tuple[TenantId, str]
Send = Callable[[Sequence[Ring]], int]
"""Sends rings, and tells how many were needed; blocks for seconds at most.

Raises: ConnectionError.
"""


@dataclass(slots=True)
class _Rung:
    """When a run was rung for, as it then was. Units: seconds, monotonic clock."""

    version: int
    next_at: float
    pause: float


class Doorbell:
    """Looks for runs that wait after every commit, and once a second; one process does."""

    def __init__(
        self, db: Database, send: Send, *, tenants: Tenants, leaders: Leaders
    ) -> None:
        self._db = db
        self._send = send
        self._tenants = tenants
        self._leaders = leaders
        self._bell = Bell()
        self._rung: dict[Ring, _Rung] = {}
        self._hearing = Hearing(self._bell.ring)
        self._failures = 0
        db.on_commit(self._hearing.hear)

    @property
    def fault(self) -> str:
        """What is in the way of ringing, "" for nothing."""
        return "Redis cannot be reached; runs wait" if self._failures else ""

    async def run(self) -> None:
        """Ring until cancelled.

        Raises: Unavailable.
        """
        self._hearing.begin()
        while True:
            self._hearing.taken()
            await self.ring_all()
            pause = min(_LOOK_SECONDS * 2**self._failures, _LONGEST_PAUSE_SECONDS)
            # News come in bursts, and say nothing of whether Redis is back.
            await asyncio.sleep(pause if self._failures else _REST_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._bell.wait()

    async def ring_all(self) -> None:
        """Ring for everything that waits and was not rung for of late.

        Raises: Unavailable.
        """
        due = await self._due()
        if not due or not await self._leaders.leads(LEADERSHIP):
            return
        try:
            await asyncio.to_thread(self._send, [ring for ring, _ in due])
        except ConnectionError as fault:
            if not self._failures:
                _log.warning("doorbell.unreached", extra={"reason": str(fault)})
            self._failures = min(self._failures + 1, 8)
            return
        if self._failures:
            _log.info("doorbell.reached")
        self._failures = 0
        for ring, version in due:
            self._note(ring, version)

    async def _due(self) -> Sequence[tuple[Ring, int]]:
        """Find what waits, in all tenants, and is due to be rung for."""
        found: dict[Ring, int] = {}
        for tenant in await self._tenants():
            look = partial(waiting.list_first, most=_AT_ONCE)
            by = system(tenant, name="doorbell")
            for each in await self._db.read(look, by=by):
                found[tenant, each.run_id] = each.version
        self._rung = {ring: rung for ring, rung in self._rung.items() if ring in found}
        return [
            (ring, version)
            for ring, version in found.items()
            if self._is_due(ring, version)
        ]

    def _is_due(self, ring: Ring, version: int) -> bool:
        rung = self._rung.get(ring)
        if rung is None or rung.version != version:
            return True
        return time.monotonic() >= rung.next_at

    def _note(self, ring: Ring, version: int) -> None:
        rung = self._rung.get(ring)
        pause = _FIRST_AGAIN_SECONDS
        if rung is not None and rung.version == version:
            pause = min(rung.pause * 2, _LONGEST_AGAIN_SECONDS)
        self._rung[ring] = _Rung(version, time.monotonic() + pause, pause)
