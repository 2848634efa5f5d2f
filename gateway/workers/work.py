"""A worker: does the work on the runs that it is given, any number at a time."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from core.kernel.problems import LeaseLost, Problem
from core.runs.model import RunError
from core.runs.reports import Outcome
from gateway.settings import WorkerSettings
from gateway.workers.attempt import Attempt, HandBack, Means
from gateway.workers.calls import Calls, Claimed
from gateway.workers.executors.base import Executor
from gateway.workers.sandbox.folders import make_folder, remove_folder, sweep_folders

_LAST_WORD_SECONDS = 3.0

_log = logging.getLogger(__name__)


class Worker:
    """Executes claimed runs.

    Shape:  each run has a folder below `folder`, which is gone when its attempt is
            over, however it ended.
    """

    def __init__(
        self,
        calls: Calls,
        executors: Mapping[str, Executor],
        *,
        folder: Path,
        settings: WorkerSettings,
    ) -> None:
        self._means = Means(
            calls=calls,
            executors=executors,
            lease=timedelta(seconds=settings.lease_seconds),
            grace=timedelta(seconds=settings.grace_seconds),
            stopping=asyncio.Event(),
            killing=asyncio.Event(),
        )
        self._folder = folder
        self._at_work: dict[str, Attempt] = {}
        self._is_swept = False

    async def work(self, held: Claimed) -> None:
        """Do the steps of a run and end its attempt; cancelled, leave no process."""
        try:
            folder = await asyncio.to_thread(self._make_folder, held)
        except OSError as fault:
            await self._give_up(held, fault)
            return
        attempt = self._at_work[held.run_id] = Attempt(self._means, held, folder)
        try:
            await self._go(attempt, held)
        finally:
            del self._at_work[held.run_id]
            await asyncio.shield(asyncio.to_thread(remove_folder, folder))

    def stop(self) -> None:
        """Have every run handed back after the step that it is at."""
        self._means.stopping.set()

    def kill(self) -> None:
        """Cut every step short now; its run fails this attempt as `worker_stopped`."""
        self._means.stopping.set()
        self._means.killing.set()

    def hurry(self, run_id: str) -> None:
        """Ask now what is wanted of a run; of what is not ours nothing is asked."""
        if attempt := self._at_work.get(run_id):
            attempt.pulse.hurry()

    async def _go(self, attempt: Attempt, held: Claimed) -> None:
        try:
            await self._while_held(attempt, held)
        except asyncio.CancelledError:
            await self._say_last(held, attempt.if_stopped)
            raise

    async def _while_held(self, attempt: Attempt, held: Claimed) -> None:
        try:
            await attempt.go()
        except* LeaseLost:
            _log.info("run.taken_away", extra={"run_id": held.run_id})

    async def _say_last(self, held: Claimed, word: Outcome | HandBack) -> None:
        """Say how it stands, so that somebody else may go on, if there is time to."""
        calls = self._means.calls
        with suppress(Problem, TimeoutError):
            async with asyncio.timeout(_LAST_WORD_SECONDS):
                if isinstance(word, HandBack):
                    await calls.hand_back(held, word.reason)
                else:
                    await calls.complete(held, word)

    async def _give_up(self, held: Claimed, fault: OSError) -> None:
        _log.error("worker.no_folder", extra={"reason": str(fault)})
        told = f"the worker could not make a folder: {fault.strerror or fault}"
        error = RunError(code="no_folder", detail=told)
        with suppress(Problem):
            await self._means.calls.complete(
                held, Outcome(status="failed", error=error)
            )

    def _make_folder(self, held: Claimed) -> Path:
        if not self._is_swept:
            self._is_swept = True
            sweep_folders(self._folder)
        return make_folder(self._folder, held.run_id, held.attempt)
