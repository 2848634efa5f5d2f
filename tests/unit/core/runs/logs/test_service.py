"""What a run prints is kept in order, and read from a byte on or from its end."""

from dataclasses import replace

import pytest

from core.database import Database, Tx
from core.kernel.ids import RunId
from core.kernel.principal import TenantId, system
from core.kernel.problems import InvalidQuery
from core.runs.logs import service as logs
from core.runs.logs.model import LogPage
from core.runs.model import Run, RunStatus
from core.runs.reports import LogReport
from tests.conftest import FakeClock

ACME, OTHER = system(TenantId("acme")), system(TenantId("other"))


@pytest.fixture
def run(clock: FakeClock) -> Run:
    """A run that prints."""
    now = clock.now()
    return Run(
        id=RunId("R-7"),
        kind="template",
        status=RunStatus.RUNNING,
        attempt=1,
        available_at=now,
        created_at=now,
        actor_id="U-1",
        actor="ann",
    )


def printed(
    db: Database, run: Run, *texts: str, step: str = "build", most: int = 1 << 20
) -> None:
    def work(tx: Tx) -> None:
        for text in texts:
            logs.append(tx, run, LogReport(text=text, step=step), most=most)

    db.run(work, by=ACME)


def read(
    db: Database,
    *,
    offset: int = 0,
    tail: int = 0,
    step: str = "",
    limit: int = 1 << 18,
) -> LogPage:
    return db.run(
        lambda tx: logs.read(
            tx, "R-7", offset=offset, tail=tail, step=step, limit=limit
        ),
        by=ACME,
    )


def text_of(page: LogPage) -> str:
    return "".join(chunk.text for chunk in page.chunks)


def numbered(page: LogPage) -> list[tuple[int, str]]:
    return [(line.number, line.text) for line in page.lines]


def test_lines_have_numbers_whatever_chunks_they_came_in(
    db: Database, run: Run
) -> None:
    printed(db, run, "one\ntw", "o\n", "three\nfo", "ur")

    page = read(db)

    assert numbered(page) == [(1, "one"), (2, "two"), (3, "three"), (4, "four")]
    assert page.total_lines == 4
    assert page.next_offset == len("one\ntwo\nthree\nfour")


def test_a_line_never_goes_on_in_another_step(db: Database, run: Run) -> None:
    printed(db, run, "no end")
    printed(db, run, "next\n", step="test")
    printed(db, replace(run, attempt=2), "again\n", step="test")

    page = read(db)

    assert numbered(page) == [(1, "no end"), (2, "next"), (3, "again")]
    assert [line.step for line in page.lines] == ["build", "test", "test"]
    assert [line.attempt for line in page.lines] == [1, 1, 2]


def test_reading_on_from_every_offset_gives_every_byte_once(
    db: Database, run: Run
) -> None:
    whole = "zwölf Öfen\n" * 40
    printed(db, run, *[whole[i : i + 17] for i in range(0, len(whole), 17)])
    got, offset = "", 0

    while (page := read(db, offset=offset, limit=50)).chunks:
        got, offset = got + text_of(page), page.next_offset

    assert got == whole
    assert offset == len(whole.encode())


def test_reading_from_inside_a_chunk_knows_its_line(db: Database, run: Run) -> None:
    printed(db, run, "one\ntwo\nthree\n")

    page = read(db, offset=len("one\ntwo\n"))

    assert numbered(page) == [(3, "three")]


def test_the_tail_is_the_last_lines_whole(db: Database, run: Run) -> None:
    printed(db, run, *[f"line {n}\n"[i] for n in range(1, 60) for i in range(-7, 0)])
    printed(db, run, "x" * 100_000 + "\n" + "last\n")

    page = read(db, tail=3)

    assert [line.number for line in page.lines] == [59, 60, 61]
    assert page.lines[-1].text == "last"
    assert page.total_lines == 61


def test_one_step_is_read_alone_with_its_own_line_numbers(
    db: Database, run: Run
) -> None:
    printed(db, run, "a\nb\n")
    printed(db, run, "c\n", step="test")
    printed(db, run, "d\n")

    assert numbered(read(db, step="test")) == [(3, "c")]
    assert numbered(read(db, step="build", tail=2)) == [(2, "b"), (4, "d")]
    assert read(db, step="test").next_offset == 8


def test_a_log_that_is_too_long_ends_with_a_mark_once(db: Database, run: Run) -> None:
    """M-RUN-08: what is kept has a limit, and says so."""
    for _ in range(4):
        printed(db, run, "0123456789\n" * 3, most=70)

    page = read(db)

    assert page.is_truncated
    assert text_of(page)[:70] == ("0123456789\n" * 7)[:70]
    assert page.lines[-1].text == (
        "The log ends here: 70 bytes are kept of what a run prints."
    )
    assert [line.stream for line in page.lines].count("truncated") == 1


def test_escapes_are_kept_and_what_cannot_be_stored_is_replaced(
    db: Database, run: Run
) -> None:
    printed(db, run, "\x1b[31mred\x1b[0m\0\ud800\n")

    assert text_of(read(db)) == "\x1b[31mred\x1b[0m\ufffd?\n"


def test_another_tenant_reads_nothing_and_a_purge_forgets(
    db: Database, run: Run
) -> None:
    printed(db, run, "mine\n")

    assert not db.run(lambda tx: logs.read(tx, "R-7"), by=OTHER).chunks

    db.run(lambda tx: logs.purge(tx, "R-7"), by=ACME)
    assert read(db) == LogPage(chunks=[], lines=[], next_offset=0, total_lines=0)


def test_what_cannot_be_asked_for_is_refused(db: Database) -> None:
    with pytest.raises(InvalidQuery):
        read(db, offset=-1)
    with pytest.raises(InvalidQuery):
        read(db, tail=1_001)
