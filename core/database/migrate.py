"""Bring a database to the newest schema, one process at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from core.database.engine import is_sqlite
from core.database.schema import revisions

# A migration takes as long as it takes, and whoever comes second waits for it.
_LOCK_SQLITE = ("PRAGMA busy_timeout=3600000", "BEGIN EXCLUSIVE")
_LOCK_POSTGRES = (
    "BEGIN",
    "SET LOCAL lock_timeout = 0",
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    f"SELECT pg_advisory_xact_lock({0x6F70737769})",
)


def upgrade(engine: Engine, *, revision: str = "head") -> None:
    """Apply all revisions up to `revision`; other processes wait, a killed one undoes."""
    with _locked(engine) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, *, revision: str) -> None:
    """Take revisions back down to `revision` ("base" for all)."""
    with _locked(engine) as connection:
        command.downgrade(_config(connection), revision)


def write_revision(engine: Engine, message: str) -> None:
    """Write a new revision from the difference between the tables and a database."""
    number = 1 + len(revisions())
    with _locked(engine) as connection:
        command.revision(
            _config(connection), message, autogenerate=True, rev_id=f"{number:04d}"
        )


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """Hold the one transaction in which all revisions run."""
    with engine.connect() as plain:
        connection = plain.execution_options(isolation_level="AUTOCOMMIT")
        for statement in _LOCK_SQLITE if is_sqlite(engine) else _LOCK_POSTGRES:
            connection.exec_driver_sql(statement)
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")
        # It was made to wait without an end, which no other user of it may.
        connection.invalidate()


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
