"""What only a database server can do to us: hang up, die, lock, and know the time."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.kernel.problems import Unavailable
from tests.contract.conftest import open_database
from tests.contract.relay import Relay, relayed
from tests.services import PostgresServer
from tests.unit.core.database.conftest import mark, marking, marks
from tests.unit.core.database.test_outages import FORTY_WAITS
from tests.unit.core.database.test_queues import KEY, once


@pytest.fixture
def pg(tables_on_postgres: str) -> Iterator[Database]:
    """A Postgres database at its own time."""
    db = open_database(tables_on_postgres)
    yield db
    db.close()


@pytest.fixture
def wire(tables_on_postgres: str) -> Iterator[tuple[Relay, Database]]:
    """A database behind a relay that can hang up."""
    with relayed(tables_on_postgres) as (relay, url):
        db = open_database(url)
        yield relay, db
        db.close()


def hang_up(url: str) -> None:
    """End every other connection to this database."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_now_is_the_database_s_time(pg: Database, ann: Principal) -> None:
    """R-46: processes with different clocks agree; one moment for the whole unit."""
    first, again = pg.run(lambda tx: (tx.now, tx.now), by=ann)
    later = pg.run(lambda tx: tx.now, by=ann)

    assert first == again
    assert first < later
    assert first.tzinfo is not None
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_server_that_hangs_up_between_commands_is_not_noticed(
    pg: Database, ann: Principal, tables_on_postgres: str
) -> None:
    """R-43: the pool heals without a refusal."""
    for n in range(10):
        hang_up(tables_on_postgres)
        assert pg.run(marking(f"m{n}"), by=ann) == f"m{n}"

    assert pg.look(marks, by=ann) == [f"m{n}" for n in range(10)]


async def test_hanging_up_in_between_loses_nothing_acknowledged(
    pg: Database, ann: Principal, tables_on_postgres: str
) -> None:
    """R-43: terminate all backends 20 times under 8 writers."""
    kept: list[str] = []
    names = (f"{number:05}" for number in count())
    is_over = False

    async def write() -> None:
        name = next(names)
        with suppress(Unavailable):
            kept.append(await pg.write(lambda tx: mark(tx, name), by=ann))

    async def write_on() -> None:
        while not is_over:
            await write()

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(write_on())
        for target in range(20, 420, 20):
            await asyncio.to_thread(hang_up, tables_on_postgres)
            while len(kept) < target:
                await write()
        is_over = True

    assert set(kept) <= set(await pg.read(marks, by=ann))


def test_a_stored_unit_whose_answer_was_lost_finds_itself(
    wire: tuple[Relay, Database], ann: Principal
) -> None:
    """R-01: the fate of COMMIT is unknown, so the unit runs again under its key."""
    relay, db = wire
    relay.cut_after = b"COMMIT"

    answer = db.run(once("a"), by=ann, key=KEY)

    assert relay.was_cut.wait(10)
    assert answer == "again: a"
    assert db.look(marks, by=ann) == ["a"]


def test_a_unit_without_key_does_not_run_twice(
    wire: tuple[Relay, Database], ann: Principal
) -> None:
    """R-01: nobody is told that nothing was stored when it may have been."""
    relay, db = wire
    relay.cut_after = b"COMMIT"

    with pytest.raises(Unavailable, match="may have been stored"):
        db.run(lambda tx: mark(tx, "a"), by=ann)

    assert relay.was_cut.wait(10)
    assert db.run(marks, by=ann) == ["a"]


def test_a_server_that_dies_is_found_again(
    postgres_server: PostgresServer, pg: Database, ann: Principal
) -> None:
    """R-43: an immediate stop keeps what was acknowledged; no restart of ours."""
    pg.run(lambda tx: mark(tx, "before"), by=ann)
    postgres_server.stop("immediate")

    try:
        with pytest.raises(Unavailable):
            pg.run(lambda tx: mark(tx, "lost"), by=ann)
        with pytest.raises(Unavailable):
            pg.look(marks, by=ann)
    finally:
        postgres_server.start()

    assert pg.run(lambda tx: mark(tx, "after"), by=ann) == "after"
    assert pg.look(marks, by=ann) == ["after", "before"]


@pytest.mark.soak
async def test_a_locked_table_keeps_nobody_waiting_twice(
    pg: Database, ann: Principal, tables_on_postgres: str
) -> None:
    """R-43: refused within seconds, all of them at once."""
    began = time.monotonic()
    with locked(tables_on_postgres, "channel_states"):
        found = await asyncio.gather(
            *(pg.write(lambda tx: mark(tx, "never"), by=ann) for _ in range(40)),
            return_exceptions=True,
        )

    assert {type(each) for each in found} == {Unavailable}
    assert time.monotonic() - began < FORTY_WAITS
    assert pg.run(lambda tx: mark(tx, "later"), by=ann) == "later"


@contextmanager
def locked(url: str, table: str) -> Iterator[None]:
    """Lock a table as somebody at its console would."""
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()
