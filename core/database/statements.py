"""SQL compiled once per dialect and run on the driver, where every microsecond counts.

A SQLAlchemy statement says what is meant and stays portable; compiling and adapting
it again for each command costs more than running it. `Prepared` keeps the compiled
text; rows come back as the driver's plain tuples, which is enough because every
column of ours is text or an integer.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from sqlalchemy import Connection, CursorResult, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ClauseElement

Row = tuple[Any, ...]
Values = Mapping[str, object]
HeldRow = tuple[Table, Values]

_CHUNKS = (32, 16, 8, 4, 2, 1)

_NAMED = re.compile(r"%\((\w+)\)s|%%")

_SQLITE: Dialect = sqlite.dialect(paramstyle="named")


class Driver(Protocol):
    """What sqlite3 and psycopg connections have in common."""

    def execute(self, sql: str, parameters: Any = ..., /, **options: Any) -> Any:
        """Run one statement and return its cursor."""

    def cursor(self) -> Any:
        """Open a cursor."""


class Prepared:
    """A statement with named parameters, compiled once for each dialect.

    Values written into the statement itself are sent along with the caller's.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Values]] = {}
        self._numbered: tuple[str, Sequence[str]] | None = None

    def sql(self, dialect: Dialect) -> str:
        """Return the text of this statement in the given dialect."""
        return self.compile(dialect)[0]

    def compile(self, dialect: Dialect) -> tuple[str, Values]:
        """Return the text of this statement, and the values written into it."""
        found = self._compiled.get(dialect.name)
        if found is None:
            style = _SQLITE if dialect.name == "sqlite" else dialect
            compiled = self._statement.compile(dialect=style)
            constants = {
                name: value
                for name, value in compiled.params.items()
                if value is not None
            }
            found = self._compiled[dialect.name] = (str(compiled), constants)
        return found

    def number(self, dialect: Dialect) -> tuple[str, Sequence[str]]:
        """Return the text as Postgres itself reads it, and the names of $1, $2, ..."""
        if self._numbered is None:
            places: dict[str, int] = {}

            def place(found: re.Match[str]) -> str:
                if found[1] is None:
                    return "%"
                return f"${places.setdefault(found[1], len(places) + 1)}"

            sql = _NAMED.sub(place, self.sql(dialect))
            self._numbered = (sql, tuple(places))
        return self._numbered


class Session:
    """One database connection, by both of its handles: SQLAlchemy's and the driver's.

    psycopg reads a statement anew each time that it is long or has many parameters,
    and takes longer for it than Postgres does for the rest. So what is prepared is
    given to it in the words of Postgres, by its raw cursor, which reads nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect
        driver = connection.connection.driver_connection
        assert driver is not None
        self.driver: Driver = driver
        raw = getattr(connection.dialect.loaded_dbapi, "RawCursor", None)
        self._raw = raw(driver) if raw else None
        self._owed = ""
        self.held: list[HeldRow] = []
        self.spoilt_by: BaseException | None = None

    def control(self, sql: str) -> None:
        """Run a transaction-control word, such as COMMIT."""
        owed, self._owed = self._owed, ""
        if owed and sql != "COMMIT":
            self.driver.execute(f"{owed}; {sql}", prepare=False)
        else:
            self.driver.execute(sql)

    def release(self, savepoint: str) -> None:
        """Release a savepoint; Postgres is told with the next word, in one journey.

        Nothing that runs before that word is undone alone: it would take the batch
        along.
        """
        if self._raw is None:
            self.control(f"RELEASE SAVEPOINT {savepoint}")
        else:
            self._owed = f"RELEASE SAVEPOINT {savepoint}"

    def execute(
        self, statement: Executable, values: Values | None = None
    ) -> CursorResult[Any]:
        """Run any SQLAlchemy statement; for queries that are built per call."""
        result: CursorResult[Any] = self.connection.execute(statement, values)
        return result

    def run(self, prepared: Prepared, values: Values) -> list[Row]:
        """Run a prepared query and fetch all of it."""
        rows: list[Row] = self._do(prepared, values).fetchall()
        return rows

    def change(self, prepared: Prepared, values: Values) -> int:
        """Run a prepared statement that returns no rows; give the count it changed."""
        return int(self._do(prepared, values).rowcount)

    def run_many(self, prepared: Prepared, rows: Sequence[Values]) -> None:
        """Run a prepared statement once for each set of values."""
        self.driver.cursor().executemany(prepared.sql(self.dialect), rows)

    def insert_many(
        self, table: Table, rows: Sequence[Values], *, merges: tuple[str, ...] = ()
    ) -> None:
        """Insert rows that all have the same columns, in the same order.

        Shape:  with `merges`, a row whose key exists sets these columns there instead,
                except to NULL; no key may stand twice in `rows` then.

        Many rows go into one statement: with one for each, the thread would have to
        get the interpreter back from the event loop after every row.
        """
        done = 0
        for size in _CHUNKS:
            while len(rows) - done >= size:
                chunk = rows[done : done + size]
                sql = _insert(
                    table, tuple(chunk[0]), size, self.dialect.paramstyle, merges
                )
                values = [value for row in chunk for value in row.values()]
                (self._raw or self.driver).execute(sql, values)
                done += size

    def insert_held(self) -> None:
        """Insert the rows that units held back, those of one shape together."""
        held, self.held = self.held, []
        by_shape: dict[tuple[str, ...], list[HeldRow]] = {}
        for table, row in held:
            by_shape.setdefault((table.name, *row), []).append((table, row))
        for rows in by_shape.values():
            self.insert_many(rows[0][0], [row for _, row in rows])

    def insert_earlier(self) -> None:
        """Insert what earlier units held back; a fault is not the present unit's."""
        try:
            self.insert_held()
        except BaseException as fault:
            self.spoilt_by = fault
            raise

    def insert_missing(self, table: Table, row: Values) -> bool:
        """Insert a row unless its key exists; tell whether it was inserted."""
        dialect_insert = (
            sqlite.insert if self.dialect.name == "sqlite" else postgresql.insert
        )
        statement = dialect_insert(table).values(dict(row)).on_conflict_do_nothing()
        return self.connection.execute(statement).rowcount == 1

    def _do(self, prepared: Prepared, values: Values) -> Any:
        sql, constants = prepared.compile(self.dialect)
        bound = {**constants, **values}
        if self._raw is None:
            return self.driver.execute(sql, bound)
        sql, names = prepared.number(self.dialect)
        return self._raw.execute(sql, [bound[name] for name in names])


@cache
def _insert(
    table: Table,
    columns: tuple[str, ...],
    count: int,
    style: str,
    merges: tuple[str, ...],
) -> str:
    """Write an INSERT of `count` rows; the names are ours, the values are bound."""
    marks = (f"${number}" for number in range(1, count * len(columns) + 1))
    if style == "qmark":
        marks = ("?" for _ in range(count * len(columns)))
    rows = [f"({', '.join(next(marks) for _ in columns)})" for _ in range(count)]
    into = f'INSERT INTO "{table.name}" ({_names(columns)})'
    sql = f"{into} VALUES {', '.join(rows)}"
    return sql + _merging(table, merges) if merges else sql


def _merging(table: Table, merges: Sequence[str]) -> str:
    keys = _names([column.name for column in table.primary_key])
    kept = (
        f'"{name}" = COALESCE(excluded."{name}", "{table.name}"."{name}")'
        for name in merges
    )
    return f" ON CONFLICT ({keys}) DO UPDATE SET {', '.join(kept)}"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
