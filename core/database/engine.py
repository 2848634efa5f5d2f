"""Engines for the two databases Opswire runs on, set up to be durable."""

from pathlib import Path

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    DatabaseError,
    InterfaceError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.pool import ConnectionPoolEntry

from core.database.sqlite_file import watch_file

_BUSY_MS = 5000
_CONNECT_SECONDS = 5


def open_engine(url: str, *, pool_size: int = 6) -> Engine:
    """Open an engine for `sqlite:///path` or `postgresql://…`.

    Durability is not configurable: SQLite runs with synchronous=FULL, and Postgres is
    asked for synchronous_commit=on in every session.
    Units: at most `pool_size` + 2 connections.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(0o700, parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=pool_size, max_overflow=2)
        event.listen(engine, "connect", _set_up_sqlite)
        if parsed.database and parsed.database != ":memory:":
            watch_file(engine, parsed.database)
        return engine
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=2,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "options": "-c synchronous_commit=on -c lock_timeout=5s"
            " -c idle_in_transaction_session_timeout=60s -c statement_timeout=30s",
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
        },
    )


def is_sqlite(engine: Engine) -> bool:
    """Tell whether this engine is the embedded database."""
    return engine.dialect.name == "sqlite"


def is_outage(engine: Engine, fault: BaseException | None) -> bool:
    """Tell whether a fault lies with the database and not with one unit's statements."""
    driver = engine.dialect.loaded_dbapi
    outages = (
        OperationalError,
        InterfaceError,
        InternalError,
        driver.OperationalError,
        driver.InterfaceError,
        driver.InternalError,
    )
    # A damaged file is reported as the class that all other faults derive from.
    return isinstance(fault, outages) or type(fault) in (
        DatabaseError,
        driver.DatabaseError,
    )


def faults(engine: Engine) -> tuple[type[Exception], ...]:
    """Name everything that storing can raise.

    The last three are what drivers and encoders say to a value that cannot be stored.
    """
    driver = engine.dialect.loaded_dbapi
    return (SQLAlchemyError, driver.Error, OverflowError, TypeError, ValueError)


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={_BUSY_MS}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "cache_size=-32000",
        "journal_size_limit=67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
