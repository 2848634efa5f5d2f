"""Both databases, for the guarantees that must hold on either."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from core.database import Database, open_engine
from core.database.migrate import upgrade
from core.kernel.clock import Clock
from gateway.recording import recorded
from gateway.schema import whole_schema
from tests.conftest import FakeClock
from tests.services import PostgresServer

OpenDatabase = Callable[[], Database]

_EMPTY = "; ".join(f"DELETE FROM {table}" for table in whole_schema().tables)


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """One Postgres database of this test process with our schema."""
    with postgres_server.database() as url:
        engine = open_engine(url)
        upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture
def tables_on_postgres(migrated_postgres: str) -> str:
    """The URL of a Postgres database whose tables are empty."""
    with psycopg.connect(migrated_postgres, autocommit=True) as connection:
        connection.execute(_EMPTY)
    return migrated_postgres


@pytest.fixture
def tables_on_sqlite(tmp_path: Path) -> str:
    """The URL of a SQLite file with empty tables."""
    url = f"sqlite:///{tmp_path}/ops.db"
    engine = open_engine(url)
    upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def tables_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database with empty tables, once of each kind."""
    url: str = request.getfixturevalue(f"tables_on_{request.param}")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def db(tables_url: str, clock: FakeClock) -> Iterator[Database]:
    """A database of each kind, at the time of a clock under control."""
    database = open_database(tables_url, clock=clock)
    yield database
    database.close()


@pytest.fixture
def open_another(tables_url: str) -> Iterator[OpenDatabase]:
    """Open the same database again, as another process would; at its own time."""
    opened: list[Database] = []

    def open_it() -> Database:
        opened.append(open_database(tables_url))
        return opened[-1]

    yield open_it
    for database in opened:
        database.close()


def open_database(url: str, *, clock: Clock | None = None) -> Database:
    """Open a database as the gateway does."""
    return recorded(open_engine(url), clock=clock)
