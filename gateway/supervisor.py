"""Keeps the gateway's background work going: repeated, timed, restarted with backoff."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """A piece of work and how often it is due.

    Units:  `timeout` bounds one round; a round that takes longer counts as failed.
    """

    name: str
    work: Callable[[], Awaitable[None]]
    every: timedelta
    timeout: timedelta = timedelta(seconds=60)


class Supervisor:
    """Runs tickers until it is stopped; an outage is logged when it starts and ends."""

    def __init__(self, tickers: Sequence[Ticker] = ()) -> None:
        self._tickers = tickers
        self._task: asyncio.Task[None] | None = None
        self.failing: dict[str, str] = {}

    def start(self) -> None:
        """Start all tickers in one task group."""
        self._task = asyncio.create_task(self._run_all(), name="supervisor")

    async def stop(self) -> None:
        """Cancel all tickers and wait for them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run_all(self) -> None:
        async with asyncio.TaskGroup() as group:
            for ticker in self._tickers:
                group.create_task(self._keep(ticker), name=ticker.name)

    async def _keep(self, ticker: Ticker) -> None:
        every = ticker.every.total_seconds()
        failures = 0
        while True:
            failures = 0 if await self._round(ticker) else failures + 1
            await asyncio.sleep(
                min(every * 2 ** min(failures, 8), max(every, _LONGEST_PAUSE_SECONDS))
            )

    async def _round(self, ticker: Ticker) -> bool:
        """Do the work once; tell whether it went well."""
        try:
            # Not wait_for: on 3.11 it can swallow the cancellation that ends a ticker.
            async with asyncio.timeout(ticker.timeout.total_seconds()):
                await ticker.work()
        except Exception as fault:
            if ticker.name not in self.failing:
                _log.exception("ticker.failing", extra={"ticker": ticker.name})
            self.failing[ticker.name] = str(fault) or type(fault).__name__
            return False
        if self.failing.pop(ticker.name, None) is not None:
            _log.info("ticker.recovered", extra={"ticker": ticker.name})
        return True
