"""Read units: each in a snapshot of its own, without a way to write."""

import asyncio
import threading

import pytest
from sqlalchemy import text

from core.database import Database, Tx
from core.database.database import GUEST_THREADS
from core.delivery.tables import channel_states
from core.events.model import EventDraft
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from tests.unit.core.database.conftest import mark, marking, marks


def test_a_read_sees_one_moment(db: Database, ann: Principal) -> None:
    """What is committed while it looks is not seen, not even by a new statement."""
    has_looked, has_written = threading.Event(), threading.Event()

    def look_twice(tx: Tx) -> tuple[list[str], list[str]]:
        first = marks(tx)
        has_looked.set()
        has_written.wait(10)
        return first, marks(tx)

    def write() -> None:
        has_looked.wait(10)
        db.run(lambda tx: mark(tx, "later"), by=ann)
        has_written.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = db.look(look_twice, by=ann)
    writer.join()

    assert seen == ([], [])
    assert db.look(marks, by=ann) == ["later"]


async def test_reads_that_hold_their_threads_keep_only_their_like_waiting(
    db: Database, ann: Principal
) -> None:
    """What is read aside has threads of its own, however many of it wait."""
    may_go = threading.Event()

    def hold(_: Tx) -> bool:
        return may_go.wait(20)

    holding = [asyncio.create_task(db.read_aside(hold, by=ann)) for _ in range(8)]
    await asyncio.sleep(0)

    assert await db.read(marks, by=ann) == []

    _, waiting = await asyncio.wait(holding, timeout=10, return_when="FIRST_EXCEPTION")
    may_go.set()
    outcomes = await asyncio.gather(*holding, return_exceptions=True)
    assert outcomes.count(True) == GUEST_THREADS
    assert {type(each) for each in outcomes} == {bool, Unavailable}
    assert len(waiting) >= GUEST_THREADS


def test_a_read_sees_what_was_acknowledged(db: Database, ann: Principal) -> None:
    """R-01: whoever has an answer finds its effect."""
    for n in range(20):
        db.run(marking(f"{n:02}"), by=ann)
        assert len(db.look(marks, by=ann)) == n + 1


@pytest.mark.parametrize(
    "work",
    [
        lambda tx: mark(tx, "a"),
        lambda tx: tx.record(EventDraft(type="x", target="", actor="")),
    ],
)
def test_a_read_refuses_to_record(db: Database, ann: Principal, work: object) -> None:
    with pytest.raises(TypeError):
        db.look(work, by=ann)  # type: ignore[arg-type]


def test_the_connection_of_a_read_refuses_to_write(
    db: Database, ann: Principal
) -> None:
    db.run(lambda tx: mark(tx, "kept"), by=ann)

    with pytest.raises(Unavailable):
        db.look(lambda tx: tx.execute(channel_states.delete()), by=ann)

    assert db.look(marks, by=ann) == ["kept"]


def test_a_read_that_raises_spoils_no_other(db: Database, ann: Principal) -> None:
    for _ in range(5):
        with pytest.raises(LookupError):
            db.look(_raise, by=ann)

    assert db.look(lambda tx: tx.execute(text("SELECT 1")).scalar(), by=ann) == 1


def test_an_undone_attempt_of_a_read_keeps_its_versions(
    db: Database, ann: Principal
) -> None:
    """A dry run that looks does not forget what the collection's version was."""
    db.run(lambda tx: tx.bump("tasks"), by=ann)

    def dry(tx: Tx) -> int:
        with tx.attempt() as attempt:
            tx.version("tasks")
            attempt.undo()
        return tx.version("tasks")

    assert db.look(dry, by=ann) == 1


def _raise(_: Tx) -> None:
    raise LookupError
