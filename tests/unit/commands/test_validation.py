"""Arguments that cannot even be written down, and what is said of them."""

from typing import Any

import pytest

from commands.everything import COMMANDS
from commands.parser import parse_call
from commands.registry import Registry
from core.kernel.problems import InvalidArgument
from tests.conftest import FakeClock

REGISTRY = Registry.of(COMMANDS)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def refused(title: Any, clock: FakeClock) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as refusal:
        parse_call(
            "task create",
            {"title": title},
            REGISTRY,
            now=clock.now(),
            timezone="UTC",
            me="ann",
        )
    return refusal.value


@pytest.mark.parametrize("depth", [300, 900])
def test_deep_nesting_is_called_that(clock: FakeClock, depth: int) -> None:
    problem = refused(nested(depth), clock)

    assert "nested more than 250 lists or objects deep" in problem.detail
    assert problem.fix


@pytest.mark.parametrize("title", ["\ud800", 2**70])
def test_what_is_no_text_or_too_long_is_called_that(
    clock: FakeClock, title: object
) -> None:
    assert "not valid Unicode" in refused(title, clock).detail
