"""Imports go on side by side; what hangs is given up, counted, and keeps nobody waiting."""

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.plugins import imports as module
from gateway.plugins.folder import Source
from gateway.plugins.importing import Imported
from gateway.plugins.imports import Imports
from gateway.supervisor import Failed

SOON = timedelta(milliseconds=20)
LONG = timedelta(seconds=20)


def a_source(name: str, stamp: int = 0) -> Source:
    return Source(name=name, path=Path(f"{name}.py"), stamp=(stamp,))


@pytest.fixture
def never() -> Iterator[Callable[[], Imported]]:
    """Work that goes on until the test is over."""
    is_over = threading.Event()

    def work() -> Imported:
        is_over.wait(60)
        return Imported((), "opswire_plugin_late", "1")

    yield work
    is_over.set()


def done() -> Imported:
    return Imported((), "", "1")


async def test_what_is_ready_does_not_wait_for_what_hangs(
    never: Callable[[], Imported],
) -> None:
    imports = Imports(LONG)
    imports.begin(a_source("loopy"), never)
    imports.begin(a_source("hello"), done)

    ready = await imports.ready(SOON * 10)

    assert list(ready) == [a_source("hello")]
    assert list(imports.names) == ["loopy"]


async def test_what_hangs_is_told_when_its_deadline_has_passed(
    never: Callable[[], Imported],
) -> None:
    imports = Imports(SOON)
    imports.begin(a_source("loopy"), never)

    ready = await imports.ready(SOON * 2)

    outcome = ready[a_source("loopy")]
    assert isinstance(outcome, Failed)
    assert str(outcome.fault) == "it took longer than 0.02 s"
    assert list(imports.names) == []


async def test_what_is_dropped_is_forgotten_even_when_it_ends(
    never: Callable[[], Imported], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opswire_plugin_late", sys)
    is_begun, is_over = threading.Event(), threading.Event()

    def work() -> Imported:
        is_begun.set()
        is_over.wait(60)
        return Imported((), "opswire_plugin_late", "1")

    imports = Imports(LONG)
    imports.begin(a_source("loopy"), work)
    is_begun.wait(20)
    imports.drop("loopy")
    [thread] = [each for each in threading.enumerate() if each.name == "loopy"]
    is_over.set()
    thread.join(20)

    assert await imports.ready(SOON) == {}
    assert "opswire_plugin_late" not in sys.modules


async def test_threads_of_a_file_that_hangs_at_every_save_do_not_pile_up(
    never: Callable[[], Imported],
) -> None:
    before = threading.active_count()
    imports = Imports(LONG)
    for stamp in range(module.MOST_HUNG + 5):
        imports.begin(a_source("loopy", stamp), never)

    [outcome] = (await imports.ready(SOON)).values()

    assert threading.active_count() <= before + module.MOST_HUNG
    assert isinstance(outcome, Failed)
    assert str(outcome.fault).startswith("8 imports do not end already; restart")
