"""Where runs are executed: claims what there is room for, and has it worked on."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from core.kernel.problems import Unavailable
from core.runs.reports import Wanted
from gateway.bell import Bell
from gateway.supervisor import contain
from gateway.workers.calls import Calls, Claimed

STOP_WITHIN = timedelta(seconds=15)
"""How long the steps under way may go on after a stop; a gateway ends within 30 s."""

_KILL_SECONDS = 6.0
_CANCEL_SECONDS = 4.0
_LONGEST_OUTAGE_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Works(Protocol):
    """Executes claimed runs, any number at a time."""

    async def work(self, held: Claimed) -> None:
        """Do the steps of a run and end its attempt; cancelled, leave no process."""

    def stop(self) -> None:
        """Have every run handed back after the step that it is at."""

    def kill(self) -> None:
        """Cut every step short now; that attempt counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often is looked for work.

    Units:  `poll` is the pause between two looks that found nothing; it is drawn anew
            each time, so that many workers do not look together.
    """

    room: int = 2
    poll: timedelta = timedelta(seconds=1)


class Host:
    """Keeps up to `room` runs at work until it is stopped.

    Shape:  `bell` is rung when there may be work; a ring that is lost costs one poll.
    """

    def __init__(self, calls: Calls, worker: Works, wanted: Wanted, pace: Pace) -> None:
        self.bell = Bell()
        self._calls = calls
        self._worker = worker
        self._wanted = wanted
        self._pace = pace
        self._at_work: set[asyncio.Task[object]] = set()
        self.reached = asyncio.Event()
        self.finished = asyncio.Event()
        self._ends_at = 0.0
        self._aborting = asyncio.Event()
        self._failures = 0

    @property
    def busy(self) -> int:
        """How many runs are at work now."""
        return len(self._at_work)

    @property
    def is_reaching(self) -> bool:
        """Whether the last look for work was answered."""
        return self._failures == 0

    async def run(self) -> None:
        """Claim and work until `stop`; returns when the last run is out of hand."""
        try:
            while not self.is_stopping:
                if not await self._take():
                    await self._rest()
        finally:
            await self._end()
            self.finished.set()

    def stop(self) -> None:
        """Claim nothing more, and have the runs handed back after their steps."""
        if not self.is_stopping:
            self._ends_at = time.monotonic() + STOP_WITHIN.total_seconds()
            self._worker.stop()
            self.bell.ring()

    def abort(self) -> None:
        """Stop now: whatever step is under way is killed."""
        self.stop()
        self._aborting.set()

    @property
    def is_stopping(self) -> bool:
        """Whether nothing more is taken."""
        return self._ends_at > 0

    async def _take(self) -> bool:
        """Claim what there is room for; tell whether there may be more."""
        free = self._pace.room - self.busy
        if free <= 0:
            return False
        claimed = await self._claim(free)
        for held in claimed:
            self._begin(held)
        return bool(claimed) and self.busy < self._pace.room

    async def _claim(self, limit: int) -> Sequence[Claimed]:
        try:
            claimed = await self._calls.claim(replace(self._wanted, limit=limit))
        except Unavailable as outage:
            if not self._failures:
                _log.warning("worker.unreached", extra={"reason": outage.detail})
            self._failures += 1
            return ()
        if self._failures:
            _log.info("worker.reached")
        self._failures = 0
        self.reached.set()
        return claimed

    def _begin(self, held: Claimed) -> None:
        work = contain(
            self._worker.work(held), event="worker.faulty", run_id=held.run_id
        )
        task: asyncio.Task[object] = asyncio.create_task(work, name=held.run_id)
        self._at_work.add(task)
        task.add_done_callback(self._finish)

    def _finish(self, task: "asyncio.Task[object]") -> None:
        self._at_work.discard(task)
        self.bell.ring()

    async def _rest(self) -> None:
        poll = self._pace.poll.total_seconds() * 2 ** min(self._failures, 5)
        pause = min(poll, _LONGEST_OUTAGE_SECONDS) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self.bell.wait()
        if self._failures:
            # News of work say nothing of whether it can be reached.
            await asyncio.sleep(min(pause, 1.0))

    async def _end(self) -> None:
        """Wait for the runs under way; what does not end in time is killed."""
        self.stop()
        await self._wait(self._ends_at - time.monotonic(), self._aborting)
        if self._at_work:
            self._worker.kill()
            await self._wait(_KILL_SECONDS)
        for task in self._at_work:
            task.cancel()
        await self._wait(_CANCEL_SECONDS)

    async def _wait(self, seconds: float, ended: asyncio.Event | None = None) -> None:
        """Wait until no run is at work, or for so long, or until something is set."""
        never = asyncio.Event()
        waiting = asyncio.ensure_future((ended or never).wait())
        ends_at = time.monotonic() + seconds
        while self._at_work and not waiting.done() and time.monotonic() < ends_at:
            await asyncio.wait(
                {*self._at_work, waiting},
                timeout=max(ends_at - time.monotonic(), 0),
                return_when=asyncio.FIRST_COMPLETED,
            )
        waiting.cancel()
