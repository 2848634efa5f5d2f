"""Code of others, run where neither its end nor its endlessness is ours."""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta
from threading import Thread
from typing import TypeVar

from gateway.plugins.model import PluginFault
from gateway.supervisor import Failed, attempt

DEADLINE = timedelta(seconds=10)

Done = TypeVar("Done")


def wait_aside(
    work: Callable[[], Done], *, name: str, deadline: timedelta = DEADLINE
) -> Done | Failed:
    """Do some work in a thread of its own, wait for it, and give it up after a while."""
    try:
        return begin_aside(work, name).result(deadline.total_seconds())
    except TimeoutError:
        return late(deadline)


def begin_aside(work: Callable[[], Done], name: str) -> Future[Done | Failed]:
    """Begin some work in a thread of its own.

    A thread of a pool would be waited for when the process ends; a daemon that never
    returns is left behind.
    """
    future: Future[Done | Failed] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        future.set_result(attempt(work))

    Thread(target=run, name=name, daemon=True).start()
    return future


def late(deadline: timedelta) -> Failed:
    """Say that some work was given up."""
    return Failed(PluginFault(f"it took longer than {deadline.total_seconds():g} s"))
