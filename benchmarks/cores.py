"""Which core the servers run on and which one the load generator."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def server_core() -> int:
    """Return the core that every server under test is pinned to."""
    return _cores()[0]


def client_core() -> int:
    """Return the core of the load generator; the server's own on a one-core machine."""
    return _cores()[min(1, len(_cores()) - 1)]


def is_separated() -> bool:
    """Tell whether server and client have a core each."""
    return server_core() != client_core()


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Run this thread, and the processes that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cores() -> list[int]:
    return sorted(_AVAILABLE)


_AVAILABLE = frozenset(os.sched_getaffinity(0))
