"""Sliding windows: what a rate lets through, over any stretch of time."""

from bisect import bisect_right

from hypothesis import given, settings
from hypothesis import strategies as st
from limits import RateLimitItem

from core.delivery.rates import parse_rate
from gateway.windows import SlidingWindows

RATES = st.sampled_from(
    ["1/second", "5/minute", "60/minute", "7/10 seconds", "100/hour"]
)
# Where a rate's windows begin must not matter, so a start is anything.
STARTS = st.floats(min_value=0, max_value=100_000, allow_nan=False)
# Pauses as shares of the rate's length: bursts, trickles and long silences.
PAUSES = st.lists(
    st.one_of(st.just(0.0), st.floats(0, 0.05), st.floats(0, 3)),
    min_size=1,
    max_size=400,
)


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def admitted(rate: RateLimitItem, start: float, pauses: list[float]) -> list[float]:
    """Try after each pause; return the ticks of the tries that were let through."""
    ticks = Ticks(start)
    windows = SlidingWindows(ticks)
    passed = []
    for pause in pauses:
        ticks.now += pause * rate.get_expiry()
        if windows.hit(rate, "ann"):
            passed.append(ticks.now)
    return passed


def busiest(passed: list[float], length: float) -> int:
    """Count the most that fell within any stretch of `length` seconds."""
    return max(
        (
            bisect_right(passed, first + length * (1 - 1e-9)) - number
            for number, first in enumerate(passed)
        ),
        default=0,
    )


@given(rate=RATES.map(parse_rate), start=STARTS, pauses=PAUSES)
@settings(deadline=None)
def test_a_clock_window_never_passes_more_than_the_rate(
    rate: RateLimitItem, start: float, pauses: list[float]
) -> None:
    """R-64."""
    length = rate.get_expiry()

    passed = admitted(rate, start, pauses)

    counts: dict[int, int] = {}
    for tick in passed:
        index = int(divmod(tick, length)[0])
        counts[index] = counts.get(index, 0) + 1
    assert max(counts.values(), default=0) <= rate.amount


@given(rate=RATES.map(parse_rate), start=STARTS, pauses=PAUSES)
@settings(deadline=None)
def test_two_windows_together_never_pass_twice_the_rate(
    rate: RateLimitItem, start: float, pauses: list[float]
) -> None:
    """R-64: even the worst pattern of bursts gains nothing in the long run."""
    passed = admitted(rate, start, pauses)

    assert busiest(passed, 2 * rate.get_expiry()) <= 2 * rate.amount + rate.amount


@given(
    start=STARTS,
    load=st.floats(1.05, 20),
    rate=st.sampled_from(["60/minute", "300/minute"]),
)
@settings(deadline=None, max_examples=40)
def test_steady_overload_passes_the_rate_in_any_window(
    start: float, load: float, rate: str
) -> None:
    """R-64: within 15 %, wherever the window begins."""
    item = parse_rate(rate)
    pause = 1 / (item.amount * load)

    passed = admitted(item, start, [pause] * int(6 * item.amount * load))

    length = item.get_expiry()
    later = [tick for tick in passed if tick > start + length]
    assert busiest(later, length) <= item.amount * 1.15
    whole = [tick for tick in passed if start + length < tick <= start + 5 * length]
    assert abs(len(whole) / 4 - item.amount) <= item.amount * 0.15


@given(rate=RATES.map(parse_rate), start=STARTS, pauses=PAUSES)
@settings(deadline=None)
def test_whoever_waits_as_long_as_told_is_let_through(
    rate: RateLimitItem, start: float, pauses: list[float]
) -> None:
    """R-64: Retry-After is true."""
    ticks = Ticks(start)
    windows = SlidingWindows(ticks)
    for pause in pauses:
        ticks.now += pause * rate.get_expiry()
        windows.hit(rate, "ann")
    standing = windows.standing(rate, "ann")

    ticks.now += standing.wait_seconds + 1e-3

    assert windows.hit(rate, "ann")
    assert bool(standing.remaining) == (standing.wait_seconds == 0)


def test_a_rate_is_refused_once_used_up_and_free_again_later() -> None:
    ticks = Ticks()
    windows = SlidingWindows(ticks)
    rate = parse_rate("3/minute")

    first = [windows.hit(rate, "ann") for _ in range(4)]
    ticks.now = 120
    later = [windows.hit(rate, "ann") for _ in range(4)]

    assert first == later == [True, True, True, False]


def test_keys_are_counted_apart() -> None:
    windows = SlidingWindows(Ticks())
    rate = parse_rate("1/minute")

    assert windows.hit(rate, "ann")
    assert windows.hit(rate, "bob")
    assert not windows.hit(rate, "ann")


def test_two_rates_of_one_key_are_counted_apart() -> None:
    windows = SlidingWindows(Ticks())

    assert windows.hit(parse_rate("1/second"), "ann")
    assert windows.hit(parse_rate("1/minute"), "ann")
