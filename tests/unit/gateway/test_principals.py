"""The memory of credentials: bounded, and short."""

import pytest

from core.kernel.principal import DEFAULT_TENANT, Principal, system
from core.kernel.problems import Unauthenticated
from gateway.principals import MOST_REFUSED, Principals, digest


class Ticks:
    """A tick count under the test's control."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def principals(ticks: Ticks) -> Principals:
    return Principals(ticks, most=3)


ANN: Principal = system(name="ann")
KEY = digest("credential")


def keep(principals: Principals, name: str, *, read_at: float = 100.0) -> None:
    principals.keep(digest(name), ANN, read_at=read_at, lasts=float("inf"))


def test_the_oldest_is_forgotten_first(principals: Principals) -> None:
    for name in ("a", "b", "c"):
        keep(principals, name)
    keep(principals, "a")

    keep(principals, "d")

    known = [name for name in "abcd" if principals.recall(digest(name))]
    assert known == ["a", "c", "d"]


def test_age_counts_from_the_reading_not_from_the_answer(
    principals: Principals, ticks: Ticks
) -> None:
    keep(principals, "a", read_at=98.0)
    assert principals.recall(digest("a")) is ANN

    ticks.now = 101.0

    assert principals.recall(digest("a")) is None


def test_lending_lasts_a_second_and_never_past_four(
    principals: Principals, ticks: Ticks
) -> None:
    keep(principals, "a")
    recalled = []
    for moment in (103.0, 103.9, 104.0, 110.0):
        ticks.now = moment
        principals.lend(digest("a"))
        recalled.append(principals.recall(digest("a")) is ANN)

    assert recalled == [True, True, False, False]


def test_lending_does_not_outlive_the_credential(
    principals: Principals, ticks: Ticks
) -> None:
    principals.keep(KEY, ANN, read_at=100.0, lasts=3.2)
    ticks.now = 103.2

    principals.lend(KEY)

    assert principals.recall(KEY) is None


def test_lending_the_unknown_does_nothing(principals: Principals) -> None:
    principals.lend(KEY)

    assert principals.recall(KEY) is None


def test_refusals_are_bounded(principals: Principals) -> None:
    refusal = Unauthenticated("no")
    for number in range(MOST_REFUSED + 1):
        principals.refuse(digest(str(number)), refusal)

    principals.require_unrefused(digest("0"))
    with pytest.raises(Unauthenticated):
        principals.require_unrefused(digest("1"))


def test_forgetting_counts_a_generation(principals: Principals) -> None:
    """An answer that was on its way when something was revoked is not kept."""
    before = principals.generation

    principals.forget(DEFAULT_TENANT, "K-1")
    principals.clear()

    assert principals.generation == before + 2
