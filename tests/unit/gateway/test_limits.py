"""What is counted where: people and machines apart, and nothing of what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.principal import DEFAULT_TENANT, Principal
from core.kernel.problems import RateLimited
from gateway.limits import Limiter
from gateway.windows import SlidingWindows

ANN = Principal(id="U-1", name="ann", tenant=DEFAULT_TENANT)
BOB = Principal(id="U-2", name="bob", tenant=DEFAULT_TENANT)


def a_limiter(rate: str = "3/minute") -> Limiter:
    return Limiter(rate, windows=SlidingWindows(lambda: 0.0))


def deliver(limiter: Limiter, channel: str = "webhook", account: str = "W-1") -> None:
    limiter.admit_delivery(DEFAULT_TENANT, channel, account)


@given(
    flood=st.lists(
        st.tuples(
            st.sampled_from(["webhook", "trigger", "approval"]),
            st.sampled_from(["W-1", "W-2", "G-1", "AP-1"]),
        ),
        max_size=60,
    )
)
def test_no_flood_of_machines_takes_anything_from_people(
    flood: list[tuple[str, str]],
) -> None:
    """R-64."""
    limiter = a_limiter()
    for channel, account in flood:
        with suppress(RateLimited):
            deliver(limiter, channel, account)

    for channel in ("rest", "webhook", "trigger"):
        assert limiter.usage(channel, ANN).remaining == 3
    for _ in range(3):
        limiter.admit("rest", ANN)


def test_no_flood_of_people_keeps_a_delivery_waiting() -> None:
    limiter = a_limiter()
    for _ in range(3):
        limiter.admit("webhook", ANN)

    deliver(limiter)


def test_a_rate_set_on_webhook_counts_for_its_deliveries() -> None:
    limiter = a_limiter()
    limiter.configure(DEFAULT_TENANT, "webhook", {"principal": "1/minute"})
    deliver(limiter)

    with pytest.raises(RateLimited, match="W-1 on webhook"):
        deliver(limiter)
    deliver(limiter, account="W-2")


def test_what_is_refused_is_counted_nowhere() -> None:
    """Or a message that one limit holds back would use up the others."""
    limiter = a_limiter()
    limiter.configure(DEFAULT_TENANT, "rest", {"tenant": "1/minute"})
    limiter.admit("rest", ANN)
    for _ in range(5):
        with pytest.raises(RateLimited, match="tenant default"):
            limiter.admit("rest", BOB)

    assert limiter.usage("rest", BOB).remaining == 3


def test_control_has_a_window_for_each_person() -> None:
    """R-64."""
    limiter = a_limiter()
    for _ in range(3):
        limiter.admit("rest", ANN)
        limiter.admit_control("rest", ANN)

    with pytest.raises(RateLimited, match="control commands of ann"):
        limiter.admit_control("rest", ANN)
    limiter.admit_control("rest", BOB)
