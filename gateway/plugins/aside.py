"""Code of others, run where neither its end nor its endlessness is ours."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from threading import Thread
from typing import TypeVar

from gateway.plugins.model import PluginFault
from gateway.supervisor import Failed, attempt

DEADLINE = timedelta(seconds=10)

Done = TypeVar("Done")


async def aside(
    work: Callable[[], Done], *, name: str, deadline: timedelta = DEADLINE
) -> Done | Failed:
    """Do some work in a thread of its own, and give it up after a while."""
    future = _start(work, name)
    try:
        async with asyncio.timeout(deadline.total_seconds()):
            return await asyncio.wrap_future(future)
    except TimeoutError:
        return _late(deadline)


def wait_aside(
    work: Callable[[], Done], *, name: str, deadline: timedelta = DEADLINE
) -> Done | Failed:
    """Do the same while nothing is served yet, and wait for it."""
    try:
        return _start(work, name).result(deadline.total_seconds())
    except TimeoutError:
        return _late(deadline)


def _start(work: Callable[[], Done], name: str) -> Future[Done | Failed]:
    """Begin some work.

    A thread of a pool would be waited for when the process ends; a daemon that never
    returns is left behind.
    """
    future: Future[Done | Failed] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        future.set_result(attempt(work))

    Thread(target=run, name=name, daemon=True).start()
    return future


def _late(deadline: timedelta) -> Failed:
    return Failed(PluginFault(f"it took longer than {deadline.total_seconds():g} s"))
