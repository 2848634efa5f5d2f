"""How long a receiver that takes nothing is left alone, so that probing it stays cheap."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES_BEFORE_REST = 5
RESTS = tuple(timedelta(seconds=each) for each in (5, 15, 30, 60, 120, 300))


@dataclass(slots=True)
class _Streak:
    """Failures since the last success, and the rests that followed from them."""

    failures: int = 0
    rests: int = 0
    rests_until: datetime | None = None


class Pace:
    """Counts failures in a row of each account; a success forgets them.

    Shape:  a receiver that refuses one thing and takes the others is never left alone.
            What was under way when a rest began does not lengthen it. `rests` are the
            rests that follow one another, the last of them again and again.
    """

    def __init__(self, rests: Sequence[timedelta] = RESTS) -> None:
        self._rests = rests
        self._streaks: dict[tuple[str, str], _Streak] = {}

    def note_success(self, account: tuple[str, str]) -> None:
        """Forget what went wrong."""
        self._streaks.pop(account, None)

    def note_failure(self, account: tuple[str, str], *, now: datetime) -> timedelta:
        """Count one, and tell for how long the account is to rest now."""
        streak = self._streaks.setdefault(account, _Streak())
        streak.failures += 1
        is_resting = streak.rests_until is not None and now < streak.rests_until
        if streak.failures < FAILURES_BEFORE_REST or is_resting:
            return timedelta()
        rest = self._rests[min(streak.rests, len(self._rests) - 1)]
        streak.rests += 1
        streak.rests_until = now + rest
        return rest
