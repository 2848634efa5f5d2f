"""Tells the queue what happens in a run: in order, in pieces, and not too often."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice

from core.kernel.problems import LeaseLost, Problem
from core.runs.reports import LogReport, Report
from gateway.workers.calls import Calls, Claimed
from gateway.workers.insisting import insist
from gateway.workers.pulse import Pulse

_log = logging.getLogger(__name__)

PIECE_CHARS = 16_384
_MOST_AT_ONCE = 8
_MOST_WAITING = 32
_EVERY_SECONDS = 0.2


class Teller:
    """The reports of one run that have not been heard yet.

    Shape:  pieces of a log that follow each other are joined. Whoever tells faster than
            is heard waits, so that memory stays bounded and a program blocks on its
            pipe.
    """

    def __init__(self, calls: Calls, held: Claimed, pulse: Pulse) -> None:
        self._calls = calls
        self._held = held
        self._pulse = pulse
        self._waiting: deque[Report] = deque()
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._flushing = asyncio.Event()

    async def tell(self, report: Report) -> None:
        """Take a report; it is sent soon."""
        for piece in _pieces(report):
            await self._room.wait()
            self._add(piece)

    async def flush(self) -> None:
        """Wait until all has been heard."""
        self._flushing.set()
        await self._quiet.wait()

    async def run(self) -> None:
        """Send what is told, until cancelled.

        Raises: LeaseLost.
        """
        while True:
            await self._some.wait()
            reports = list(islice(self._waiting, _MOST_AT_ONCE))
            await self._send(reports)
            for _ in reports:
                self._waiting.popleft()
            self._room.set()
            if not self._waiting:
                self._some.clear()
                self._quiet.set()
                self._flushing.clear()
            await self._rest()

    def _add(self, piece: Report) -> None:
        last = self._waiting[-1] if len(self._waiting) > _MOST_AT_ONCE else None
        if joined := _joined(last, piece):
            self._waiting[-1] = joined
        else:
            self._waiting.append(piece)
        self._some.set()
        self._quiet.clear()
        if len(self._waiting) >= _MOST_WAITING:
            self._room.clear()

    async def _send(self, reports: Sequence[Report]) -> None:
        """Send reports until they are heard, or until the run cannot be ours any more.

        One that is refused, such as a note with too much in it, stops no other.
        """
        try:
            await insist(self._pulse, lambda: self._calls.report(self._held, reports))
        except LeaseLost:
            raise
        except Problem as refused:
            if len(reports) == 1:
                about = {"run_id": self._held.run_id, "reason": refused.detail}
                _log.warning("report.refused", extra=about)
                return
            for each in reports:
                await self._send([each])

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await self._flushing.wait()


def _pieces(report: Report) -> Iterator[Report]:
    if not isinstance(report, LogReport):
        yield report
        return
    for at in range(0, len(report.text), PIECE_CHARS):
        yield replace(report, text=report.text[at : at + PIECE_CHARS])


def _joined(last: Report | None, piece: Report) -> LogReport | None:
    """Join two pieces of one log, if they are one piece together."""
    if not isinstance(last, LogReport) or not isinstance(piece, LogReport):
        return None
    is_one = (last.step, last.stream) == (piece.step, piece.stream)
    if not is_one or len(last.text) + len(piece.text) > PIECE_CHARS:
        return None
    return replace(last, text=last.text + piece.text)
