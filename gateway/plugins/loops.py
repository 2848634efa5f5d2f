"""An event loop for one plugin, so that what blocks there blocks nobody else."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from functools import partial
from threading import Lock, Thread
from typing import Any

from gateway.supervisor import Failed, attempt_async

MOST_AT_ONCE = 32


class OwnLoop:
    """Runs the asynchronous handlers of one plugin side by side, in one daemon thread.

    Shape:  the thread begins with the first call, and ends when the plugin has been
            retired and nothing of it runs any more.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running = 0
        self._is_retired = False

    @property
    def is_busy(self) -> bool:
        """Whether something runs."""
        return self._running > 0

    @property
    def is_full(self) -> bool:
        """Whether as many calls run as may."""
        return self._running >= MOST_AT_ONCE

    async def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine there and wait for it here.

        Raises: whatever it raises; CancelledError when whoever waits is cancelled.
        """
        future: Future[Any] = Future()
        with self._lock:
            self._running += 1
            self._begun().call_soon_threadsafe(self._start, work, future)
        outcome = await asyncio.wrap_future(future)
        if isinstance(outcome, Failed):
            raise outcome.fault
        return outcome

    def retire(self) -> None:
        """End with the last call."""
        with self._lock:
            self._is_retired = True
            self._stop_if_idle()

    def _begun(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            Thread(target=_serve, args=(loop,), name=self._name, daemon=True).start()
        return self._loop

    def _start(self, work: Coroutine[Any, Any, Any], future: Future[Any]) -> None:
        """Begin a call in its loop, unless nobody waits for it any more by now."""
        if future.cancelled():
            work.close()
            self._end()
            return
        task = asyncio.ensure_future(attempt_async(work))
        task.add_done_callback(partial(self._answer, future))
        future.add_done_callback(partial(_stop, asyncio.get_running_loop(), task))

    def _answer(self, future: Future[Any], task: asyncio.Task[Any]) -> None:
        # Whoever waited may give up at this very moment.
        with suppress(InvalidStateError):
            future.set_result(
                Failed(asyncio.CancelledError()) if task.cancelled() else task.result()
            )
        self._end()

    def _end(self) -> None:
        with self._lock:
            self._running -= 1
            self._stop_if_idle()

    def _stop_if_idle(self) -> None:
        if self._is_retired and not self._running and self._loop is not None:
            loop, self._loop = self._loop, None
            loop.call_soon_threadsafe(loop.stop)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    loop.run_forever()
    loop.close()


def _stop(
    loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any], future: Future[Any]
) -> None:
    """Cancel a call whose caller has given up; its loop may have ended meanwhile."""
    if future.cancelled():
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
