"""A database that was grown for a benchmark is one that the core can go on with."""

from pathlib import Path

from sqlalchemy import text

from benchmarks.cases.size import grow
from core.collab.tasks import service as tasks
from core.database import Database
from core.kernel.principal import Principal


def test_next_task_follows_the_copies(
    db: Database, ann: Principal, tmp_path: Path
) -> None:
    db.run(lambda tx: tasks.create(tx, title="Fix login redirect"), by=ann)

    grow(tmp_path / "ops.db", tasks=300, events=900)
    created = db.run(lambda tx: tasks.create(tx, title="Fix logout"), by=ann)

    assert created.id == "T-301"
    assert number_of_events(db, ann) == 901


def test_copies_are_whole_tasks(db: Database, ann: Principal, tmp_path: Path) -> None:
    first = db.run(lambda tx: tasks.create(tx, title="Fix login redirect"), by=ann)

    grow(tmp_path / "ops.db", tasks=300, events=900)
    copy = db.look(lambda tx: tasks.get_(tx, "T-300"), by=ann)

    assert copy.title == first.title
    assert copy.created_at > first.created_at


def number_of_events(db: Database, by: Principal) -> int:
    """Read the sequence number of the tenant's last event."""
    query = text("SELECT max(seq) FROM events")
    number: int = db.look(lambda tx: tx.execute(query).scalar_one(), by=by)
    return number
