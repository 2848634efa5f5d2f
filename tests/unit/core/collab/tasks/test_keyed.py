"""Tasks that follow something elsewhere, by its key."""

import pytest

from core.collab import tasks
from core.collab.tasks import TERMINAL, Happened, Status
from core.collab.tasks.keyed import short
from core.database import Database
from core.events import service as events
from core.events.model import EventFilter
from core.kernel.principal import system
from core.kernel.problems import IllegalMove, InvalidArgument, NotFound

KEY = "disk:db-1"


def ensure(db: Database, title: str = "The disk is full") -> tasks.Ensured:
    return db.run(lambda tx: tasks.ensure(tx, KEY, title=title), by=system())


def withdraw(db: Database, key: str = KEY) -> tasks.Move | None:
    return db.run(lambda tx: tasks.withdraw(tx, key, reason="resolved"), by=system())


def test_first_time_makes_the_task(db: Database) -> None:
    task, happened = ensure(db)

    assert happened is Happened.CREATED
    assert (task.external_key, task.status) == (KEY, Status.QUEUED)


def test_again_finds_the_same_task_unchanged(db: Database) -> None:
    first = ensure(db).task

    again = ensure(db, "Another title")

    assert again == (first, Happened.THERE)


def test_fire_resolve_fire_is_one_task_that_comes_back(db: Database) -> None:
    ensure(db)

    moved = withdraw(db)
    task, happened = ensure(db)

    assert moved is not None
    assert (moved.task.status, moved.task.reason) == (Status.ABANDONED, "resolved")
    assert (task.id, happened, task.status) == (
        "T-1",
        Happened.REOPENED,
        Status.QUEUED,
    )
    assert (task.reason, task.assignee, task.implementer) == ("seen again", "", "")


def test_task_that_failed_stays_so_unless_told_otherwise(db: Database) -> None:
    ensure(db)
    db.run(lambda tx: tasks.transition(tx, "T-1", Status.FAILED), by=system())

    stays = ensure(db)
    back = db.run(
        lambda tx: tasks.ensure(tx, KEY, title="x", reopens=TERMINAL), by=system()
    )

    assert (stays.happened, stays.task.status) == (Happened.OVER, Status.FAILED)
    assert (back.happened, back.task.status) == (Happened.REOPENED, Status.QUEUED)


def test_what_came_back_can_be_worked_on_by_anybody(db: Database) -> None:
    ensure(db)
    db.run(lambda tx: tasks.claim(tx, "T-1"), by=system(name="ann"))
    withdraw(db)
    ensure(db)

    claimed = db.run(lambda tx: tasks.claim(tx, "T-1"), by=system(name="bob"))

    assert claimed.task.assignee == "bob"


def test_withdrawing_twice_changes_nothing(db: Database) -> None:
    ensure(db)
    withdraw(db)
    before = db.look(lambda tx: tx.version("tasks"), by=system())

    again = withdraw(db)

    assert again is not None
    assert not tasks.is_moved(again)
    assert db.look(lambda tx: tx.version("tasks"), by=system()) == before


def test_withdrawing_what_nobody_knows_is_told_apart(db: Database) -> None:
    assert withdraw(db, "unheard-of") is None


def test_open_task_cannot_be_reopened(db: Database) -> None:
    task = ensure(db).task

    with pytest.raises(IllegalMove, match="not over"):
        db.run(lambda tx: tasks.reopen(tx, task, reason="x"), by=system())


def test_coming_back_is_told_as_a_change_of_status(db: Database) -> None:
    ensure(db)
    withdraw(db)
    ensure(db)

    page = db.look(lambda tx: events.list_last(tx, EventFilter(), limit=1), by=system())

    assert page[0].type == "status_changed"
    assert page[0].details["old_status"] == "abandoned"


def test_unknown_key_is_named(db: Database) -> None:
    with pytest.raises(NotFound, match="disk:db-1"):
        db.look(lambda tx: tasks.get_by_key(tx, KEY), by=system())


@pytest.mark.parametrize("key", ["", "  ", "k" * 201, "a\nb"])
def test_key_must_be_one_bounded_line(db: Database, key: str) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: tasks.ensure(tx, key, title="x"), by=system())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("  Disk full \nand more", "Disk full"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_title_is_the_first_line_cut_to_its_limit(given: str, kept: str) -> None:
    assert short(given) == kept
