"""When the SQLite file is full, locked, gone or no database any more."""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from core.database import METADATA, Database, Tx, open_engine
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from tests.conftest import FakeClock
from tests.unit.core.database.conftest import Together, mark, marks

BIG = "x" * 1_000_000
FORTY_WAITS = 40 * 5.0
"""What it takes when each of forty units waits for itself, in seconds."""


@pytest.fixture
def path(db: Database, ann: Principal, tmp_path: Path) -> Path:
    """The file of the database, which has one mark."""
    db.run(lambda tx: mark(tx, "before"), by=ann)
    return tmp_path / "ops.db"


def fill_disk(tx: Tx) -> None:
    """Leave this connection no further page."""
    pages = tx.execute(text("PRAGMA page_count")).scalar_one()
    tx.execute(text(f"PRAGMA max_page_count={pages}"))


async def test_a_unit_too_big_for_the_disk_takes_no_other_with_it(
    db: Database, ann: Principal, together: Together
) -> None:
    """R-45: the database gave up the whole transaction; each unit gets its own."""
    first, _, big, last = await together(
        lambda tx: mark(tx, "a"), fill_disk, lambda tx: mark(tx, BIG),
        lambda tx: mark(tx, "b"),
    )  # fmt: skip

    assert (first, last) == ("a", "b")
    assert isinstance(big, Unavailable)
    assert db.look(marks, by=ann) == ["a", "b"]


def test_a_full_disk_refuses_and_recovers(db: Database, ann: Principal) -> None:
    """R-45."""

    def overflow(tx: Tx) -> None:
        fill_disk(tx)
        mark(tx, BIG)

    with pytest.raises(Unavailable) as refused:
        db.run(overflow, by=ann)

    assert refused.value.extra["retry_after"]
    assert db.look(marks, by=ann) == []
    assert db.run(lambda tx: mark(tx, "after"), by=ann) == "after"


async def test_a_locked_file_keeps_nobody_waiting_twice(
    db: Database, ann: Principal, path: Path
) -> None:
    """R-41: forty units are refused after one wait, not one after the other."""
    began = time.monotonic()
    with locked(path):
        found = await asyncio.gather(
            *(db.write(lambda tx: mark(tx, "never"), by=ann) for _ in range(40)),
            return_exceptions=True,
        )

    assert {type(each) for each in found} == {Unavailable}
    assert time.monotonic() - began < FORTY_WAITS
    assert db.run(lambda tx: mark(tx, "later"), by=ann) == "later"
    assert db.look(marks, by=ann) == ["before", "later"]


def test_reads_go_on_while_the_file_is_locked(
    db: Database, ann: Principal, path: Path
) -> None:
    with locked(path):
        assert db.look(marks, by=ann) == ["before"]


def test_a_file_that_is_gone_takes_no_writes(
    db: Database, ann: Principal, path: Path
) -> None:
    """R-01: SQLite would go on writing to a file that nobody finds again."""
    taken = path.rename(path.with_suffix(".taken"))

    with pytest.raises(Unavailable):
        db.run(lambda tx: mark(tx, "lost"), by=ann)
    with pytest.raises(Unavailable):
        db.look(marks, by=ann)
    assert not path.exists()

    taken.rename(path)
    assert db.run(lambda tx: mark(tx, "found"), by=ann) == "found"
    assert db.look(marks, by=ann) == ["before", "found"]


def test_a_file_replaced_by_garbage_takes_no_writes(
    db: Database, ann: Principal, path: Path
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    kept = shutil.copy(path, path.with_suffix(".kept"))
    garbage = path.with_suffix(".garbage")
    garbage.write_bytes(os.urandom(65_536))
    garbage.replace(path)

    for _ in range(2):
        with pytest.raises(Unavailable):
            db.run(lambda tx: mark(tx, "lost"), by=ann)
        with pytest.raises(Unavailable):
            db.look(marks, by=ann)

    for leftover in path.parent.glob("ops.db-*"):
        leftover.unlink()
    Path(kept).replace(path)
    assert db.run(lambda tx: mark(tx, "found"), by=ann) == "found"
    assert db.look(marks, by=ann) == ["before", "found"]


def test_a_restored_copy_is_used_at_once(
    db: Database, ann: Principal, path: Path
) -> None:
    """What was read of the old file is not taken for the new one's."""
    copy = path.with_suffix(".copy")
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(copy)) as two:
        one.backup(two)
    db.run(lambda tx: mark(tx, "newer"), by=ann)
    for leftover in path.parent.glob("ops.db-*"):
        leftover.unlink()
    copy.replace(path)

    assert db.look(marks, by=ann) == ["before"]
    assert db.run(lambda tx: mark(tx, "after"), by=ann) == "after"
    assert db.look(marks, by=ann) == ["after", "before"]


def test_a_database_without_tables_says_how_to_mend_it(
    tmp_path: Path, ann: Principal, clock: FakeClock
) -> None:
    db = Database(open_engine(f"sqlite:///{tmp_path}/empty.db"), clock=clock)

    with pytest.raises(Unavailable) as refused:
        db.run(lambda tx: mark(tx, "lost"), by=ann)

    assert refused.value.fix == ("run: ops migrate",)
    METADATA.create_all(db.engine)
    assert db.run(lambda tx: mark(tx, "found"), by=ann) == "found"
    db.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock the file as another process would."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")
