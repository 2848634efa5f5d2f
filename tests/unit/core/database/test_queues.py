"""The queue in front of the writer: its keys, its limits, its end."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Table

from core.audit import service as audit
from core.audit.recorder import AuditRecorder
from core.database import METADATA, Database, Head, Recorder, Tx, open_engine
from core.database.writer import POSTED_LIMIT, QUEUE_LIMIT
from core.delivery.inbox import InboxLookup, InboxRecorder
from core.delivery.model import InboxDraft, InboxKey, StoredMessage
from core.delivery.tables import inbox
from core.events.recorder import EventRecorder
from core.kernel.clock import Micros
from core.kernel.principal import DEFAULT_TENANT, Principal, TenantId
from core.kernel.problems import Unavailable
from tests.conftest import FakeClock
from tests.unit.core.database.conftest import Together, Work, mark, marking, marks
from tests.unit.core.database.test_units import audited

KEY = InboxKey(DEFAULT_TENANT, "rest", "", "ann", "key-1")


def once(name: str, key: InboxKey = KEY) -> Work:
    """Work that has its effect unless its key was seen, as the pipeline's has."""

    def work(tx: Tx) -> str:
        if isinstance(tx.prior, StoredMessage | InboxDraft):
            return f"again: {tx.prior.reply}"
        mark(tx, name)
        draft = InboxDraft(
            key=key, conversation="", reply_id=f"rp_{name}", request_id=f"rq_{name}",
            request_hash="", reply=name,
        )  # fmt: skip
        tx.record(draft)
        tx.keep(draft)
        return name

    return work


@contextmanager
def held(db: Database, by: Principal) -> Iterator[None]:
    """Keep the writer inside a unit, so that everything else queues up."""
    is_held, may_go = threading.Event(), threading.Event()

    def hold(_: Tx) -> None:
        is_held.set()
        may_go.wait(10)

    thread = threading.Thread(target=db.run, args=(hold,), kwargs={"by": by})
    thread.start()
    is_held.wait(10)
    yield
    may_go.set()
    thread.join()


async def test_one_key_has_one_effect_within_a_batch(
    db: Database, ann: Principal, together: Together
) -> None:
    """R-03."""
    found = await together(once("a"), once("b"), once("c"), keys=[KEY] * 3)

    assert found == ["a", "again: a", "again: a"]
    assert db.look(marks, by=ann) == ["a"]


def test_one_key_has_one_effect_across_batches(db: Database, ann: Principal) -> None:
    """R-03."""
    found = [db.run(once(name), by=ann, key=KEY) for name in ("a", "b")]

    assert found == ["a", "again: a"]
    assert db.look(marks, by=ann) == ["a"]


async def test_a_key_whose_unit_failed_is_free_again(together: Together) -> None:
    def broken(tx: Tx) -> None:
        once("a")(tx)
        raise LookupError

    failed, found = await together(broken, once("b"), keys=[KEY] * 2)

    assert isinstance(failed, LookupError)
    assert found == "b"


async def test_a_full_queue_refuses(db: Database, ann: Principal) -> None:
    """R-78: overload is refused at once."""
    with held(db, ann):
        queued = [
            asyncio.create_task(db.write(lambda _: None, by=ann))
            for _ in range(QUEUE_LIMIT)
        ]
        await asyncio.sleep(0)

        with pytest.raises(Unavailable) as refused:
            await db.write(lambda _: None, by=ann)

    assert refused.value.extra["retry_after"]
    await asyncio.gather(*queued)


def test_too_many_notes_are_refused(db: Database, ann: Principal) -> None:
    with held(db, ann):
        for _ in range(POSTED_LIMIT):
            db.post(lambda _: None, by=ann)

        with pytest.raises(Unavailable):
            db.post(lambda _: None, by=ann)


def test_closing_finishes_what_is_queued(
    db: Database, ann: Principal, tmp_path: Path
) -> None:
    """R-29: nothing that was taken in is lost, notes included."""
    with held(db, ann):
        for n in range(700):
            db.post(marking(f"{n:03}"), by=ann)
        closing = threading.Thread(target=db.close)
        closing.start()
    closing.join()

    with pytest.raises(Unavailable):
        db.run(lambda _: None, by=ann)
    with pytest.raises(Unavailable):
        db.look(marks, by=ann)
    reopened = Database(open_engine(f"sqlite:///{tmp_path}/ops.db"))
    assert len(reopened.look(marks, by=ann)) == 700
    reopened.close()


def test_a_note_is_stored_though_nobody_waits(db: Database, ann: Principal) -> None:
    committed = threading.Event()
    db.on_commit(lambda _: committed.set())

    db.post(lambda tx: mark(tx, "note"), by=ann)

    assert committed.wait(10)
    assert db.look(marks, by=ann) == ["note"]


def test_a_note_that_raises_disturbs_nobody(db: Database, ann: Principal) -> None:
    def broken(tx: Tx) -> None:
        mark(tx, "broken")
        raise LookupError

    db.post(broken, by=ann)
    db.run(lambda tx: mark(tx, "fine"), by=ann)

    assert db.look(marks, by=ann) == ["fine"]


def test_sequences_have_no_gap_under_many_writers(db: Database, ann: Principal) -> None:
    """M-EVT, R-72: numbers and hashes are chained whoever writes, and however."""

    def write(worker: int) -> None:
        for n in range(25):
            name = f"{worker}-{n:02}"
            if n % 5 == 4:
                with pytest.raises(LookupError):
                    db.run(failing(name), by=ann)
            else:
                db.run(fine(name), by=ann)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    verified = db.look(audit.verify, by=ann)
    assert verified.is_intact
    assert verified.checked == 8 * 20
    numbers = db.look(lambda tx: [row[0] for row in tx.execute(_SEQS)], by=ann)
    assert numbers == list(range(1, 8 * 20 + 1))
    assert db.look(lambda tx: tx.last_number("T"), by=ann) == 8 * 20


_SEQS = inbox.select().with_only_columns(inbox.c.seq).order_by(inbox.c.seq)


def fine(name: str) -> Work:
    """Work with a row, a message and an audit entry."""

    def work(tx: Tx) -> None:
        tx.new_id("T")
        once(name, KEY._replace(key=name))(tx)
        audited(tx, name)

    return work


def failing(name: str) -> Work:
    """The same, that raises in the end."""

    def work(tx: Tx) -> None:
        fine(name)(tx)
        raise LookupError

    return work


@dataclass(frozen=True)
class Poison:
    """A draft that its recorder chokes on."""

    fault: BaseException


class PoisonRecorder:
    """Raises what it is given."""

    draft = Poison
    table: Table = inbox
    merges = ()

    def rows(
        self, head: Head, drafts: Sequence[Poison], now: Micros
    ) -> Sequence[Mapping[str, object]]:
        raise drafts[0].fault


@pytest.fixture
def poisonable(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    """A database whose recorders can be made to fail."""
    engine = open_engine(f"sqlite:///{tmp_path}/poison.db")
    METADATA.create_all(engine)
    recorders: list[Recorder] = [
        EventRecorder(),
        InboxRecorder(),
        AuditRecorder(),
        PoisonRecorder(),
    ]
    db = Database(engine, recorders=recorders, lookup=InboxLookup(), clock=clock)
    yield db
    db.close()


async def test_a_draft_that_cannot_be_recorded_fails_its_own_unit(
    poisonable: Database, ann: Principal
) -> None:
    """A batch that is lost at its end is run again one by one."""

    def poisoned(tx: Tx) -> None:
        mark(tx, "poisoned")
        tx.record(Poison(TypeError("not JSON")))

    with held(poisonable, ann):
        queued = [
            asyncio.create_task(poisonable.write(work, by=ann, key=key))
            for work, key in (
                (once("a"), KEY),
                (poisoned, None),
                (lambda tx: mark(tx, "b"), None),
            )
        ]
        await asyncio.sleep(0)
    found = await asyncio.gather(*queued, return_exceptions=True)

    assert [found[0], found[2]] == ["a", "b"]
    assert isinstance(found[1], TypeError)
    assert poisonable.look(marks, by=ann) == ["a", "b"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_the_end_of_the_writer_is_told_to_everybody(
    poisonable: Database, ann: Principal
) -> None:
    """Nobody waits for ever for a writer that is gone."""
    with held(poisonable, ann):
        queued = [
            asyncio.create_task(poisonable.write(work, by=ann))
            for work in [
                lambda tx: tx.record(Poison(SystemExit("gone"))),
                *[lambda tx: mark(tx, "waits")] * 40,
            ]
        ]
        await asyncio.sleep(0)
    found = await asyncio.gather(*queued, return_exceptions=True)

    assert {type(each) for each in found} == {Unavailable}
    with pytest.raises(Unavailable):
        poisonable.run(lambda _: None, by=ann)
    assert poisonable.look(marks, by=ann) == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_listener_that_fails_does_not_make_a_stored_unit_look_lost(
    poisonable: Database, ann: Principal
) -> None:
    """R-01: what was committed is told as committed, whatever comes after."""

    def fail(_: set[TenantId]) -> None:
        raise RuntimeError("the listener is gone")

    poisonable.on_commit(fail)

    assert poisonable.run(lambda tx: mark(tx, "kept"), by=ann) == "kept"
    assert poisonable.look(marks, by=ann) == ["kept"]
