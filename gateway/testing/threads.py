"""A loop of one's own, so that whoever awaits may do so from any other."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

Found = TypeVar("Found")


class OwnLoop:
    """An event loop in a thread.

    A gateway has tasks that go on between two lines of a test. They need a loop that
    goes on as well, whatever runs the test: pytest-asyncio, AnyIO, or this plugin.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="bot", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Do some work there, and wait for it without a loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def call(self, work: Coroutine[Any, Any, Found]) -> Found:
        """Do some work there, and wait for it in the caller's loop."""
        done = asyncio.run_coroutine_threadsafe(work, self._loop)
        return await asyncio.wrap_future(done)
