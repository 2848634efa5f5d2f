"""When a failed run is tried again; pure."""

from datetime import timedelta
from typing import assert_never

from core.runs.model import Backoff, RetryRule

_MOST = 1_000_000
_MOST_DOUBLINGS = 20


def may_retry(rule: RetryRule, *, attempt: int, code: str) -> bool:
    """Tell whether a run that failed its `attempt`th time with a code gets another."""
    return attempt < rule.max_attempts and code not in rule.never


def longest_pause(rule: RetryRule, attempt: int) -> timedelta:
    """Return what the pause after the `attempt`th failure is at most."""
    return min(rule.base * _growth(rule.backoff, max(1, attempt)), rule.longest)


def pause(rule: RetryRule, attempt: int, *, drawn: float) -> timedelta:
    """Draw the pause evenly between nothing and the longest one (full jitter).

    Units:  `drawn` is from 0 to 1.
    """
    return longest_pause(rule, attempt) * drawn


def _growth(backoff: Backoff, attempt: int) -> int:
    match backoff:
        case Backoff.NONE:
            return 0
        case Backoff.FIXED:
            return 1
        case Backoff.LINEAR:
            return min(attempt, _MOST)
        case Backoff.EXPONENTIAL:
            return 1 << min(attempt - 1, _MOST_DOUBLINGS)
        case other:
            assert_never(other)
