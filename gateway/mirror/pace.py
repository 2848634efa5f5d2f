"""How often a document may be written again."""

import time
from collections.abc import Callable

SHARE = 20
PROMPT_ROWS = 5_000
_PROMPT_SECONDS = 0.8

Monotonic = Callable[[], float]


def pause_after(cost: float, *, rows: int) -> float:
    """Return the seconds to wait after a rewrite that took `cost` seconds.

    Shape:  twenty times the cost, but for up to 5,000 rows never so long that a change
            shows later than a second: it may just have missed the last rewrite, and
            has to wait for the next one to finish.
    """
    pause = SHARE * cost
    if rows > PROMPT_ROWS:
        return pause
    return min(pause, max(0.0, _PROMPT_SECONDS - 2 * cost))


class Pace:
    """When one document is due again."""

    def __init__(self, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._due_at = 0.0

    @property
    def due_in(self) -> float:
        """Seconds until the document may be written; 0 when it may be now."""
        return max(0.0, self._due_at - self._monotonic())

    def spent(self, cost: float, *, rows: int) -> None:
        """Note that a rewrite has just taken `cost` seconds."""
        self._due_at = self._monotonic() + pause_after(cost, rows=rows)
