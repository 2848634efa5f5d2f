"""Plugins as files in a folder, and what reads them."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from commands.registry import Registry
from gateway.every_command import described_commands
from gateway.plugins.plugins import Plugins
from gateway.plugins.shelf import Shelf
from gateway.plugins.stock import Stock
from tests.conftest import FakeClock

Write = Callable[[str, str], Path]

HELLO = '''from commands import command


@command("{noun} say", scope="hello:read", examples=["{noun} say Ann"])
def say(ctx, name: str = "world"):
    """Say hello."""
    return f"{said}, {{name}}!"
'''


def hello(noun: str = "hello", said: str = "Hello") -> str:
    """Write a plugin with one command."""
    return HELLO.format(noun=noun, said=said)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of plugins."""
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def write(folder: Path) -> Write:
    """Write a file into it."""

    def into(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return into


@pytest.fixture
def registry() -> Registry:
    """All commands of Opswire."""
    return Registry.of(described_commands())


@pytest.fixture
def plugins(folder: Path, registry: Registry, clock: FakeClock) -> Plugins:
    """The plugins of a gateway that serves nothing."""
    return Plugins(
        Stock(registry, Shelf()),
        folder=folder,
        clock=clock,
        patience=timedelta(seconds=10),
    )
