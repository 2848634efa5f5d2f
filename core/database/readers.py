"""A few threads that run reads in batches, so that a hop is paid once for many."""

import queue
import threading
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine

from core.database.engine import faults, is_outage, is_sqlite
from core.database.memo import Memo
from core.database.sqlite_file import has_moved
from core.database.statements import Session
from core.database.tx import ReadTx
from core.database.unit import Unit, settle_all
from core.kernel.problems import Unavailable

QUEUE_LIMIT = 1024
BATCH_LIMIT = 16


class Readers:
    """Read units, each in a snapshot of its own, on a small pool of threads."""

    def __init__(
        self,
        engine: Engine,
        *,
        threads: int,
        now: Callable[[Session], datetime],
        batch_limit: int = BATCH_LIMIT,
    ) -> None:
        self._engine = engine
        self._now = now
        self._memo = Memo()
        self._count = threads
        self._batch_limit = batch_limit
        self._faults = faults(engine)
        self._gate = threading.Lock()
        self._is_open = True
        self._queue: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._begin = (
            "BEGIN"
            if is_sqlite(engine)
            else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        self._threads = [
            threading.Thread(target=self._loop, name=f"db-reader-{n}", daemon=True)
            for n in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, unit: Unit) -> None:
        """Queue a read; its caller is told through the unit's own callback."""
        with self._gate:
            if not self._is_open:
                raise Unavailable("the gateway is shutting down")
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise Unavailable("too many reads are waiting")
            self._queue.put(unit)

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._gate:
            self._is_open = False
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=5)

    def _loop(self) -> None:
        connection: Connection | None = None
        while (unit := self._queue.get()) is not None:
            batch = self._take(unit)
            if connection is not None and has_moved(connection):
                _drop(connection)
                connection = None
                self._memo = Memo()  # the same version may mean something else now
            for each in batch:
                connection = self._run(each, connection)
            settle_all(batch)
        if connection is not None:
            connection.close()

    def _take(self, first: Unit) -> list[Unit]:
        """Take a fair share of what waits, so that one slow read delays few others."""
        share = min(self._batch_limit, 1 + self._queue.qsize() // self._count)
        units = [first]
        while len(units) < share:
            try:
                unit = self._queue.get_nowait()
            except queue.Empty:
                break
            if unit is None:
                self._queue.put(None)
                break
            units.append(unit)
        return units

    def _run(self, unit: Unit, connection: Connection | None) -> Connection | None:
        try:
            if connection is None:
                connection = self._connect()
            session = Session(connection)
            session.control(self._begin)
            tx = ReadTx(
                session,
                principal=unit.principal,
                now=self._now(session),
                memo=self._memo,
            )
            unit.run(tx)
            if unit.fault is not None and is_outage(self._engine, unit.fault):
                raise unit.fault
            session.control("COMMIT")
        except self._faults:
            unit.fault = Unavailable("the database does not answer", retry_after=2)
            if connection is not None:
                _drop(connection)
            return None
        return connection

    def _connect(self) -> Connection:
        connection = self._engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        )
        if is_sqlite(self._engine):
            Session(connection).control("PRAGMA query_only=ON")
        return connection


def _drop(connection: Connection) -> None:
    connection.invalidate()
    connection.close()
