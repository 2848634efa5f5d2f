"""Code of others runs beside the loop, and whatever ends it ends nothing else."""

import asyncio
import threading
from datetime import timedelta

import pytest

from gateway.plugins.aside import wait_aside
from gateway.supervisor import Failed


class Odd(BaseException):
    """What no `except Exception` would catch."""


def raising(fault: BaseException) -> None:
    raise fault


def test_an_answer_comes_back() -> None:
    assert wait_aside(lambda: 7, name="hello") == 7


@pytest.mark.parametrize(
    "fault",
    [
        ValueError("x"),
        SystemExit(3),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
        Odd(),
    ],
)
def test_whatever_is_raised_comes_back_as_a_fault(fault: BaseException) -> None:
    assert wait_aside(lambda: raising(fault), name="hello") == Failed(fault)


def test_what_never_ends_is_given_up() -> None:
    """Its thread is a daemon, so the process does not wait for it either."""
    is_over, soon = threading.Event(), timedelta(milliseconds=30)

    late = wait_aside(is_over.wait, name="hello", deadline=soon)

    is_daemon = {each.daemon for each in threading.enumerate() if each.name == "hello"}
    is_over.set()
    assert isinstance(late, Failed)
    assert str(late.fault) == "it took longer than 0.03 s"
    assert is_daemon == {True}
