"""A mirror over a real database, driven by hand."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.database import Database
from core.events import service as events
from core.events.model import Event
from core.identity.tenants import service as tenants
from core.kernel.principal import TenantId, system
from gateway.mirror import Mirror
from gateway.mirror.layout import DOCUMENTS, tenant_folder
from tests.conftest import FakeClock


class Elapsed:
    """Monotonic seconds: each look at them takes `step`, otherwise they stand still."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.step = 0.0

    def __call__(self) -> float:
        self.seconds += self.step
        return self.seconds


class Board:
    """A database, its folder of files, and the mirror between them."""

    def __init__(self, db: Database, folder: Path, clock: FakeClock) -> None:
        self.db = db
        self.folder = folder
        self.clock = clock
        self.elapsed = Elapsed()
        self.mirror = self._new()

    def follow(self) -> None:
        """Let time pass for every pause and check to be over, then mirror."""
        self.elapsed.seconds += 60
        self.mirror.follow()

    def crash(self) -> None:
        """Lose everything but the files, and begin again."""
        self.mirror.close()
        self.mirror = self._new()

    def pass_time(self, step: timedelta) -> None:
        self.clock.advance(step)

    def told(self, event: str) -> list[Event]:
        """List the events of one type."""
        told = self.db.look(
            lambda tx: events.list_after(tx, 0, limit=1000), by=system()
        )
        return [each for each in told if each.type == event]

    def digest(self, name: str, tenant: str = "default") -> str:
        """Return the sha256 of a file."""
        path = tenant_folder(self.folder, TenantId(tenant)) / name
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def digests(self, tenant: str = "default") -> dict[str, str]:
        """Return the sha256 of each document's file."""
        return {each.name: self.digest(each.name, tenant) for each in DOCUMENTS}

    def truths(self, tenant: str = "default") -> dict[str, str]:
        """Return the digest in the tag of each document."""
        return {
            each.name: self.db.look(each.render, by=system(TenantId(tenant))).tag
            .partition("-")[2]
            for each in DOCUMENTS
        }  # fmt: skip

    def _new(self) -> Mirror:
        return Mirror(self.db, self.folder, self.clock, monotonic=self.elapsed)


@pytest.fixture
def board(db: Database, tmp_path: Path, clock: FakeClock) -> Iterator[Board]:
    """A board of the default tenant whose files were not written yet."""
    db.run(tenants.ensure_default, by=system())
    board = Board(db, tmp_path / "collaboration", clock)
    yield board
    board.mirror.close()
