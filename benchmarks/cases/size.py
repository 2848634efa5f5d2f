"""P-6: the price of a command must not depend on how much there is already."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.cases.names import measure_names
from benchmarks.load import Sample
from benchmarks.paired import Bench
from benchmarks.report import Line, at_least, rate_line
from benchmarks.servers import DATABASE, opswire

EVENTS = 1_000_000
TASKS = 100_000


def measure_size(bench: Bench) -> Iterator[Line]:
    """P-6: a line among many commands, then P-1 on a full database."""
    yield from measure_names(bench)
    yield from _measure_rows(bench)


def _measure_rows(bench: Bench) -> Iterator[Line]:
    with bench.stage() as (servers, folder):
        with opswire(folder) as gateway:
            bench.writes(gateway, clients=1)()
        grow(folder / DATABASE, tasks=TASKS, events=EVENTS)
        full = servers.enter_context(opswire(folder))
        samples = bench.take_turns(
            floor=lambda: _sample_empty(bench), ours=bench.writes(full)
        )
    path = f"task create: {EVENTS:,} events, {TASKS:,} tasks against none"
    yield rate_line("P-6", path, samples, at_least(0.9))


def grow(path: Path, *, tasks: int, events: int) -> None:
    """Replace the tasks and events of a database by copies of the last one of each.

    Shape:  the gateway wrote the originals, so the copies have every column it needs;
            numbers start at 1 and the head row goes on after them.
    """
    task = "'T-' || n"
    database = sqlite3.connect(path)
    with database:
        _multiply(database, "tasks", tasks, {"id": task, "number": "n"})
        _multiply(database, "events", events, {"seq": "n", "target": task})
        database.execute(
            "UPDATE heads SET event_seq = ?, counters = json_set(counters, '$.T', ?)",
            (events, tasks),
        )
    database.close()


def _sample_empty(bench: Bench) -> Sample:
    """Start on an empty database each time: a sample leaves thousands of tasks."""
    with bench.folder() as folder, opswire(folder) as gateway:
        return bench.writes(gateway)()


def _multiply(
    database: sqlite3.Connection, table: str, rows: int, changes: Mapping[str, str]
) -> None:
    """Make `rows` copies of the last row of a table; `changes` are SQL of `n`."""
    changes = {"created_at": "created_at + n", **changes}
    columns = [name for _, name, *_ in database.execute(f"PRAGMA table_info({table})")]
    values = [changes.get(name, name) for name in columns]
    last = f"SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1"  # noqa: S608 - our names
    database.execute(f"CREATE TEMP TABLE one AS {last}")
    database.execute(f"DELETE FROM {table}")  # noqa: S608
    database.execute(
        "WITH RECURSIVE numbers(n) AS "  # noqa: S608
        f"(SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) "
        f"INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM one, numbers ORDER BY n"
    )
    database.execute("DROP TABLE one")
