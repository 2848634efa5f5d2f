"""Tells the other processes of this one's commits, and hears of theirs.

Everything that waits for a commit also looks by itself now and then. So a message that
is lost, or a line that is down, costs a second and nothing else.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from core.database import Database
from core.kernel.ids import random_id
from core.kernel.principal import TenantId
from gateway.bell import Bell
from gateway.hearing import Hearing

_TENANTS_AT_ONCE = 64
_REST_SECONDS = 0.005
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)


class Line(Protocol):
    """Reaches every process that has the same database, this one included."""

    async def send(self, text: str) -> None:
        """Send a text to all.

        Raises: ConnectionError.
        """

    def listen(self) -> AsyncIterator[str]:
        """Yield what comes, for ever.

        Raises: ConnectionError when it cannot come any more.
        """


OpenLine = Callable[[], AbstractAsyncContextManager[Line]]


class Wakes:
    """Passes commits on over a line; one that breaks is opened again.

    Shape:  a message is the name of its sender and the tenants whose data changed; the
            commits of 5 ms go out together. `fault` says why there is no line now, ""
            while there is one.
    """

    def __init__(self, db: Database, open_line: OpenLine) -> None:
        self._db = db
        self._open = open_line
        self._name = random_id("process")
        self._bell = Bell()
        self._hearing = Hearing(self._bell.ring)
        self.fault = ""
        db.on_own_commit(self._hearing.hear)

    async def run(self) -> None:
        """Tell and hear until cancelled, less and less often while there is no line."""
        self._hearing.begin()
        clock, pause = asyncio.get_running_loop().time, _FIRST_PAUSE_SECONDS
        while True:
            begun = clock()
            try:
                await self._until_cut()
            except OSError as lost:
                self._note_lost(lost)
            if clock() - begun > _LONGEST_PAUSE_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _until_cut(self) -> None:
        """Open the line, tell and hear.

        Raises: OSError, a ConnectionError mostly, when there is no line any more.
        """
        async with self._open() as line:
            self._note_open()
            telling = asyncio.create_task(self._tell(line), name="wakes-tell")
            hearing = asyncio.create_task(self._hear(line), name="wakes-hear")
            both = (telling, hearing)
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended = [each for each in both if each.done()]
                for each in both:
                    each.cancel()
                await asyncio.gather(*both, return_exceptions=True)
            for each in ended:
                each.result()

    def _note_lost(self, lost: OSError) -> None:
        if not self.fault:
            _log.warning("wakes.lost", extra={"reason": str(lost)})
        self.fault = str(lost) or type(lost).__name__

    def _note_open(self) -> None:
        if self.fault:
            _log.info("wakes.back")
        self.fault = ""

    async def _tell(self, line: Line) -> None:
        while True:
            await self._bell.wait()
            for text in self._taken():
                await line.send(text)
            await asyncio.sleep(_REST_SECONDS)

    async def _hear(self, line: Line) -> None:
        # What was committed before the line stood was told to nobody.
        self._db.hear(set())
        async for text in line.listen():
            sender, *tenants = text.split()
            if sender != self._name:
                self._db.hear({TenantId(each) for each in tenants})

    def _taken(self) -> Sequence[str]:
        tenants = sorted(self._hearing.taken())
        return [
            " ".join([self._name, *tenants[at : at + _TENANTS_AT_ONCE]])
            for at in range(0, len(tenants), _TENANTS_AT_ONCE)
        ]
