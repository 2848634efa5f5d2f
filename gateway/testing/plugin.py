"""The pytest plugin: a `bot` fixture, and async tests that need no other plugin.

pytest loads it in every run where Opswire is installed. So it imports nothing of ours
until a test asks for the fixture.
"""

import asyncio
import inspect
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

CHANNELS = ("slack", "email", "webhook", "websocket", "rest")
MARKER = "bot_channels"

_IS_OURS = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Explain the marker."""
    config.addinivalue_line(
        "markers", f"{MARKER}(*names): the channels on which `bot` runs this test"
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the channels that a test's marker does not name."""
    left_out = [each for each in items if not _is_wanted(each)]
    if left_out:
        items[:] = [each for each in items if _is_wanted(each)]
        config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that has a bot, unless another plugin sees to it."""
    test = pyfuncitem.obj
    if not inspect.iscoroutinefunction(test) or _IS_OURS not in pyfuncitem.stash:
        return None
    names = inspect.signature(test).parameters
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture(scope="session")
def _opswire_installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a gateway that was started once, to be copied."""
    folder = tmp_path_factory.mktemp("opswire") / "data"
    import_module("gateway.testing.bot").install(folder)
    return folder


@pytest.fixture(params=CHANNELS)
def bot(
    request: pytest.FixtureRequest, tmp_path: Path, _opswire_installed: Path
) -> Iterator[Any]:
    """Ann on one channel of a gateway of her own, with the plugins beside the test.

    Shape:  a `gateway.testing.bot.Bot`; the test runs once for each channel.
    """
    data = tmp_path / "opswire"
    shutil.copytree(_opswire_installed, data)
    request.node.stash[_IS_OURS] = True
    play = import_module("gateway.testing.bot").play
    with play(request.path, data, channel=request.param) as playing:
        yield playing


def _is_wanted(item: pytest.Item) -> bool:
    marker = item.get_closest_marker(MARKER)
    callspec = getattr(item, "callspec", None)
    if marker is None or callspec is None or "bot" not in callspec.params:
        return True
    return callspec.params["bot"] in marker.args
