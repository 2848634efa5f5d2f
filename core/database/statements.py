"""SQL compiled once per dialect and run on the driver, where every microsecond counts.

A SQLAlchemy statement says what is meant and stays portable; compiling and adapting
it again for each command costs more than running it. `Prepared` keeps the compiled
text; rows come back as the driver's plain tuples, which is enough because every
column of ours is text or an integer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]
Values = Mapping[str, object]

_SQLITE: Dialect = sqlite.dialect(paramstyle="named")


class Driver(Protocol):
    """What sqlite3 and psycopg connections have in common."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement and return its cursor."""

    def cursor(self) -> Any:
        """Open a cursor."""


class Prepared:
    """A statement with named parameters, compiled once for each dialect."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._sql: dict[str, str] = {}

    def sql(self, dialect: Dialect) -> str:
        """Return the text of this statement in the given dialect."""
        text = self._sql.get(dialect.name)
        if text is None:
            text = str(self._statement.compile(dialect=_with_named_style(dialect)))
            self._sql[dialect.name] = text
        return text


class Session:
    """One database connection, by both of its handles: SQLAlchemy's and the driver's."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        driver = connection.connection.driver_connection
        assert driver is not None
        self.driver: Driver = driver

    def control(self, sql: str) -> None:
        """Run a transaction-control word, such as COMMIT."""
        self.driver.execute(sql)

    def execute(self, statement: Executable, values: Values | None = None) -> CursorResult[Any]:
        """Run any SQLAlchemy statement; for queries that are built per call."""
        result: CursorResult[Any] = self.connection.execute(statement, values)  # type: ignore[assignment]
        return result

    def run(self, prepared: Prepared, values: Values) -> list[Row]:
        """Run a prepared query and fetch all of it."""
        rows: list[Row] = self.driver.execute(prepared.sql(self.dialect), values).fetchall()
        return rows

    def change(self, prepared: Prepared, values: Values) -> int:
        """Run a prepared statement that returns no rows; give the count it changed."""
        return int(self.driver.execute(prepared.sql(self.dialect), values).rowcount)

    def run_many(self, prepared: Prepared, rows: Sequence[Values]) -> None:
        """Run a prepared statement once for each set of values."""
        self.driver.cursor().executemany(prepared.sql(self.dialect), rows)

    def insert(self, table: Table, row: Values) -> None:
        """Insert one row given by column names."""
        self.driver.execute(_insert(table, row).sql(self.dialect), row)

    def insert_many(self, table: Table, rows: Sequence[Values]) -> None:
        """Insert rows that all have the same columns."""
        if rows:
            self.run_many(_insert(table, rows[0]), rows)

    def insert_missing(self, table: Table, row: Values) -> bool:
        """Insert a row unless its key exists; tell whether it was inserted."""
        dialect_insert = (
            sqlite.insert if self.dialect.name == "sqlite" else postgresql.insert
        )
        statement = dialect_insert(table).values(dict(row)).on_conflict_do_nothing()
        return self.connection.execute(statement).rowcount == 1


def _with_named_style(dialect: Dialect) -> Dialect:
    return _SQLITE if dialect.name == "sqlite" else dialect


_INSERTS: dict[tuple[str, ...], Prepared] = {}


def _insert(table: Table, row: Values) -> Prepared:
    key = (table.name, *row)
    prepared = _INSERTS.get(key)
    if prepared is None:
        columns = {name: table.c[name] for name in row}
        prepared = _INSERTS[key] = _InsertOf(table, tuple(columns))
    return prepared


class _InsertOf(Prepared):
    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        super().__init__(table.insert())
        self._columns = columns

    def sql(self, dialect: Dialect) -> str:
        text = self._sql.get(dialect.name)
        if text is None:
            text = str(
                self._statement.compile(
                    dialect=_with_named_style(dialect), column_keys=list(self._columns)
                )
            )
            self._sql[dialect.name] = text
        return text
