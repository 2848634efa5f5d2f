"""Keeps the gateway's background work going: repeated, timed, restarted with backoff."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_SECONDS = 30.0

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """A piece of work and how often it is due.

    Units:  `timeout` bounds one round; a round that takes longer counts as failed.
    """

    name: str
    work: Callable[[], Awaitable[None]]
    every: timedelta
    timeout: timedelta = timedelta(seconds=60)


async def contain(
    work: Awaitable[Done], *, event: str, **where: str
) -> Done | Exception:
    """Do one of many things; its fault is logged and given back, and stops no other."""
    try:
        return await work
    except Exception as fault:
        _log.exception(event, extra=where)
        return fault


@dataclass(frozen=True, slots=True)
class Failed:
    """What was raised instead of an answer."""

    fault: BaseException


def attempt(work: Callable[[], Done]) -> Done | Failed:
    """Run code of others in its thread; even SystemExit ends that code and not us."""
    try:
        return work()
    except BaseException as fault:
        return Failed(fault)


def _no_fault() -> str:
    return ""


async def attempt_async(work: Awaitable[Done]) -> Done | Failed:
    """Do the same with what is awaited; a loop that runs it goes on whatever comes."""
    try:
        return await work
    except BaseException as fault:
        return Failed(fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """Work that goes on for ever; whenever it ends it is started again.

    Shape:  `fault` says what it is in trouble with while it goes on, "" for nothing.
    """

    name: str
    work: Callable[[], Awaitable[None]]
    fault: Callable[[], str] = _no_fault


class Supervisor:
    """Runs tickers and loops until it is stopped.

    An outage is logged when it starts and when it ends.
    """

    def __init__(
        self, tickers: Sequence[Ticker] = (), loops: Sequence[Loop] = ()
    ) -> None:
        self._tickers = tickers
        self._loops = loops
        self._task: asyncio.Task[None] | None = None
        self._failing: dict[str, str] = {}

    @property
    def failing(self) -> Mapping[str, str]:
        """What is in trouble now, and why."""
        troubled = {each.name: each.fault() for each in self._loops}
        return {**self._failing, **{name: why for name, why in troubled.items() if why}}

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
            for loop in self._loops:
                group.create_task(self._repeat(loop), name=loop.name)

    async def _repeat(self, loop: Loop) -> None:
        failures = 0
        while True:
            begun = time.monotonic()
            well = asyncio.get_running_loop().call_later(
                _LONGEST_PAUSE_SECONDS, self._recover, loop
            )
            try:
                await loop.work()
            except Exception as fault:
                if loop.name not in self._failing:
                    _log.exception("loop.failing", extra={"loop": loop.name})
                self._failing[loop.name] = str(fault) or type(fault).__name__
            finally:
                well.cancel()
            is_steady = time.monotonic() - begun > _LONGEST_PAUSE_SECONDS
            failures = 1 if is_steady else failures + 1
            await asyncio.sleep(min(2.0 ** min(failures, 8), _LONGEST_PAUSE_SECONDS))

    def _recover(self, loop: Loop) -> None:
        """Count a loop as well that has gone on for long enough."""
        if self._failing.pop(loop.name, None) is not None:
            _log.info("loop.recovered", extra={"loop": loop.name})

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
            if ticker.name not in self._failing:
                _log.exception("ticker.failing", extra={"ticker": ticker.name})
            self._failing[ticker.name] = str(fault) or type(fault).__name__
            return False
        if self._failing.pop(ticker.name, None) is not None:
            _log.info("ticker.recovered", extra={"ticker": ticker.name})
        return True
