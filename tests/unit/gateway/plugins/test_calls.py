"""Who holds a thread for long keeps others of its plugin out, and nobody else."""

import pytest

from core.kernel.problems import CommandDisabled, Unavailable
from gateway.plugins.calls import Call, Calls, Manner


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def calls(clock: Clock) -> Calls:
    return Calls(clock, threads=2)


def begin(calls: Calls, plugin: str = "brk", manner: Manner = Manner.READ) -> Call:
    return calls.begin(plugin, plugin=plugin, command=f"{plugin} nap", manner=manner)


def ask(calls: Calls, plugin: str = "brk", manner: Manner = Manner.READ) -> None:
    calls.require_free(plugin, plugin=plugin, manner=manner)


def test_what_is_fast_keeps_nobody_out(calls: Calls, clock: Clock) -> None:
    for _ in range(5):
        begin(calls)
    clock.now += 0.9

    ask(calls)


def test_a_slow_read_refuses_the_next_of_its_plugin(calls: Calls, clock: Clock) -> None:
    begin(calls)
    clock.now += 2

    with pytest.raises(Unavailable) as busy:
        ask(calls)

    assert busy.value.detail.startswith(
        "plugin brk is busy with brk nap, at work for 2 s"
    )
    assert busy.value.retry_after == 2
    ask(calls, "hello")
    ask(calls, manner=Manner.WRITE)


def test_when_all_threads_are_held_every_plugin_is_refused_naming_who(
    calls: Calls, clock: Clock
) -> None:
    begin(calls)
    begin(calls, "box")
    clock.now += 2

    with pytest.raises(Unavailable, match="plugin brk is busy"):
        ask(calls, "hello")


@pytest.mark.parametrize("manner", [Manner.READ, Manner.WRITE])
def test_what_goes_on_beyond_ten_seconds_disables_its_plugin_until_it_ends(
    calls: Calls, clock: Clock, manner: Manner
) -> None:
    call = begin(calls, manner=manner)
    clock.now += 11

    for asked in Manner:
        with pytest.raises(CommandDisabled) as disabled:
            ask(calls, manner=asked)
        assert disabled.value.fix == ("plugin show brk",)
        assert disabled.value.detail == (
            "plugin brk is disabled until brk nap, at work for 11 s, ends"
        )

    assert calls.end(call) == 11
    ask(calls)


def test_what_waits_outside_disables_nothing(calls: Calls, clock: Clock) -> None:
    begin(calls, manner=Manner.ASYNC)
    clock.now += 40

    ask(calls)


def test_a_new_version_does_not_answer_for_the_old_one(
    calls: Calls, clock: Clock
) -> None:
    begin(calls)
    clock.now += 11

    calls.retire("brk")

    ask(calls)
