"""Sliding windows in memory: who may still send how much.

The counting is that of the `limits` library's sliding-window counter, without its
timer threads and locks, which cost more per command than the parser does.
"""

import time
from collections.abc import Callable, Hashable
from typing import NamedTuple

from limits import RateLimitItem

_MOST_KEYS = 100_000


class Standing(NamedTuple):
    """How one key stands against its rate."""

    remaining: int
    wait_seconds: float


class _Window:
    """What was counted in the present and in the previous window of one key."""

    __slots__ = ("current", "index", "previous")

    def __init__(self, index: int) -> None:
        self.index = index
        self.current = 0
        self.previous = 0

    def roll(self, index: int) -> None:
        """Move on to the window that it is time for."""
        self.previous = self.current if index == self.index + 1 else 0
        self.current = 0
        self.index = index


class SlidingWindows:
    """Counts per key; a rate holds over any stretch of time, not per clock minute.

    Shape:  the previous window counts by the share of it that still lies within the
            last `length` seconds, as if its hits had been spread evenly.
    Units:  memory is bounded by 100,000 keys; beyond, the oldest are forgotten.
    """

    def __init__(self, ticks: Callable[[], float] = time.monotonic) -> None:
        self._ticks = ticks
        self._windows: dict[Hashable, _Window] = {}

    def hit(self, rate: RateLimitItem, key: Hashable) -> bool:
        """Count one, if the rate still allows it."""
        window = self._with_room(rate, key)
        if window is None:
            return False
        window.current += 1
        return True

    def has_room(self, rate: RateLimitItem, key: Hashable) -> bool:
        """Tell whether the rate allows one more, without counting it."""
        return self._with_room(rate, key) is not None

    def standing(self, rate: RateLimitItem, key: Hashable) -> Standing:
        """Tell how many are left, and how long until one more is allowed."""
        length = rate.get_expiry()
        index, into = divmod(self._ticks(), length)
        window = self._window((key, length), int(index))
        used = window.previous * (1 - into / length) + window.current
        remaining = max(0, int(rate.amount - used))
        wait = (
            0.0 if remaining else _wait(window, rate.amount, into=into, length=length)
        )
        return Standing(remaining, wait)

    def _with_room(self, rate: RateLimitItem, key: Hashable) -> _Window | None:
        length = rate.get_expiry()
        index, into = divmod(self._ticks(), length)
        window = self._window((key, length), int(index))
        share = window.previous * (1 - into / length)
        return window if share + window.current + 1 <= rate.amount else None

    def _window(self, key: Hashable, index: int) -> _Window:
        window = self._windows.get(key)
        if window is None:
            if len(self._windows) >= _MOST_KEYS:
                self._windows.pop(next(iter(self._windows)))
            window = self._windows[key] = _Window(index)
        elif window.index != index:
            window.roll(index)
        return window


def _wait(window: _Window, amount: int, *, into: float, length: float) -> float:
    """Count the seconds until the weighted sum leaves room for one more."""
    room = amount - 1 - window.current
    if room >= 0 and window.previous:
        return max(0.0, length * (1 - room / window.previous) - into)
    later = length * (1 - (amount - 1) / window.current) if window.current else 0.0
    return length - into + max(0.0, later)
