"""A circuit opens after failures in a row, and one call finds out when it is over."""

import pytest

from gateway.adapters.breaker import Breaker, CircuitOpen

HOST = "deploy.example.org"


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """A clock under the test's control."""
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    """A breaker whose circuit for the host has just opened."""
    opened = Breaker(failures=3, clock=clock)
    assert [opened.fail(HOST) for _ in range(3)] == [False, False, True]
    return opened


def test_an_open_circuit_refuses_and_says_for_how_long(
    breaker: Breaker, clock: Clock
) -> None:
    """R-44, M-WRK-11."""
    clock.seconds = 10

    with pytest.raises(CircuitOpen) as refused:
        breaker.enter(HOST)

    assert refused.value.retry_after == 20
    breaker.enter("other.example.org")


def test_exactly_one_call_finds_out(breaker: Breaker, clock: Clock) -> None:
    """R-44: everybody else waits for what it says."""
    clock.seconds = 31
    breaker.enter(HOST)

    with pytest.raises(CircuitOpen):
        breaker.enter(HOST)

    assert breaker.succeed(HOST)
    breaker.enter(HOST)
    breaker.enter(HOST)


def test_a_failed_probe_lets_it_rest_again(breaker: Breaker, clock: Clock) -> None:
    """R-44: it was open all the while, so nothing new is told."""
    clock.seconds = 31
    breaker.enter(HOST)

    assert not breaker.fail(HOST)

    clock.seconds = 60
    with pytest.raises(CircuitOpen):
        breaker.enter(HOST)
    clock.seconds = 62
    breaker.enter(HOST)


def test_a_probe_that_was_stopped_is_nobodys_verdict(
    breaker: Breaker, clock: Clock
) -> None:
    clock.seconds = 31
    breaker.enter(HOST)

    breaker.give_up(HOST)

    breaker.enter(HOST)


def test_a_success_forgets_the_failures_before(clock: Clock) -> None:
    breaker = Breaker(failures=2, clock=clock)
    breaker.fail(HOST)

    assert not breaker.succeed(HOST)
    assert not breaker.fail(HOST)
    breaker.enter(HOST)
