"""Tells the other processes of this one's commits, and hears of theirs.

Everything that waits for a commit also looks by itself now and then. So a message that
is lost, or a line that is down, costs a second and nothing else.
"""

import asyncio
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
    """Passes commits on over a line, as a loop that is started again when that breaks.

    Shape:  a message is the name of its sender and the tenants whose data changed; the
            commits of 5 ms go out together.
    """

    def __init__(self, db: Database, open_line: OpenLine) -> None:
        self._db = db
        self._open = open_line
        self._name = random_id("process")
        self._bell = Bell()
        self._hearing = Hearing(self._bell.ring)
        db.on_own_commit(self._hearing.hear)

    async def run(self) -> None:
        """Tell and hear, until the line breaks.

        Raises: ConnectionError.
        """
        self._hearing.begin()
        async with self._open() as line:
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
