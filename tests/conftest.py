"""Fixtures that every kind of test shares."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from core.database import METADATA, Database, open_engine
from core.kernel.principal import Principal, system
from gateway.recording import recorded

pytest_plugins = ["tests.services"]

# No gateway of a test may take its flags, such as demo mode, or its plugins from the
# checkout.
os.environ["OPSWIRE_FLAGS_FILE"] = "no-flags.json"
os.environ["OPSWIRE_PLUGINS_FOLDER"] = "no-plugins"

# What asks for no number of examples gets few: there are hundreds of properties, and
# every run draws others.
settings.register_profile("few", max_examples=25, deadline=None)
settings.load_profile("few")


class FakeClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 4, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self.moment

    def advance(self, step: timedelta) -> None:
        """Move on."""
        self.moment += step


@pytest.fixture
def clock() -> FakeClock:
    """A clock under the test's control."""
    return FakeClock()


@pytest.fixture
def db(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    """A real SQLite database in a temporary file, with all tables."""
    engine = open_engine(f"sqlite:///{tmp_path}/ops.db")
    METADATA.create_all(engine)
    database = recorded(engine, clock=clock)
    yield database
    database.close()


@pytest.fixture
def ann() -> Principal:
    """A person of the default tenant who may do everything."""
    return system(name="ann")


@pytest.fixture
def bob() -> Principal:
    """Another such person."""
    return system(name="bob")
