"""The database as the rest of Opswire sees it: write, read, run."""

import asyncio
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Engine, text

from core.database.engine import is_sqlite
from core.database.readers import Readers
from core.database.recorder import Lookup, NoLookup, Recorder
from core.database.statements import Session
from core.database.tx import Tx
from core.database.unit import Unit, blocking_settler
from core.database.writer import Writer
from core.kernel.clock import Clock, SystemClock
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import Unavailable

Result = TypeVar("Result")
CommitListener = Callable[[set[TenantId]], None]

GUEST_THREADS = 2

_READER_THREADS = 2
_RUN_SECONDS = 30
_TURN_SECONDS = 2


class Database:
    """One relational database behind one writer thread and a few readers.

    Shape:  `write` and `read` are awaited by the edge; `read_aside` is `read` on threads
            that are kept for code of others, one at a time on each; `run` blocks (CLI,
            workers, tests); `post` neither waits nor tells. Listeners hear which tenants
            a commit changed: of ours on the writer thread, of another process's on that
            of whoever passes it on with `hear`.
    Raises: Unavailable when the database is full, locked, gone or behind.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        recorders: Sequence[Recorder] = (),
        lookup: Lookup | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.engine = engine
        self._clock = clock
        self._listeners: list[CommitListener] = []
        self._own_listeners: list[CommitListener] = []
        self._writer = Writer(
            engine,
            recorders=recorders,
            lookup=lookup or NoLookup(),
            on_commit=self._announce,
            now=self._now,
        )
        self._readers = Readers(engine, threads=_READER_THREADS, now=self._now)
        self._guests: Readers | None = None
        self._opening = threading.Lock()

    async def write(
        self, work: Callable[[Tx], Result], *, by: Principal, key: Hashable = None
    ) -> Result:
        """Run `work` in a transaction that is on disk when this returns."""
        return await _await_unit(self._writer.submit, work, by, key)

    async def read(self, work: Callable[[Tx], Result], *, by: Principal) -> Result:
        """Run `work` in a read-only snapshot."""
        return await _await_unit(self._readers.submit, work, by, None)

    async def read_aside(
        self, work: Callable[[Tx], Result], *, by: Principal
    ) -> Result:
        """Read where work that takes long keeps no other read waiting.

        Raises: Unavailable when nothing of it has begun after two seconds.
        """
        turn = _Turn()

        def begin(tx: Tx) -> Result:
            turn.take()
            return work(tx)

        read = asyncio.ensure_future(
            _await_unit(self._open_guests().submit, begin, by, None)
        )
        try:
            await asyncio.wait([read], timeout=_TURN_SECONDS)
            if not read.done():
                turn.require_taken()
            return await read
        finally:
            read.cancel()

    def run(
        self, work: Callable[[Tx], Result], *, by: Principal, key: Hashable = None
    ) -> Result:
        """Write and block until it is on disk."""
        future: Future[Result] = Future()
        self._writer.submit(Unit(work, by, key=key, settle=blocking_settler(future)))
        return future.result(timeout=_RUN_SECONDS)

    def look(self, work: Callable[[Tx], Result], *, by: Principal) -> Result:
        """Read and block."""
        future: Future[Result] = Future()
        self._readers.submit(Unit(work, by, settle=blocking_settler(future)))
        return future.result(timeout=_RUN_SECONDS)

    def post(self, work: Callable[[Tx], object], *, by: Principal) -> None:
        """Let `work` join a batch within 20 ms; nobody waits for it."""
        self._writer.post(Unit(work, by))

    def on_commit(self, listener: CommitListener) -> None:
        """Have `listener` called after each commit that changed something."""
        self._listeners.append(listener)

    def on_own_commit(self, listener: CommitListener) -> None:
        """Have `listener` called after each commit of this process alone."""
        self._own_listeners.append(listener)

    def hear(self, tenants: set[TenantId]) -> None:
        """Tell the listeners of a commit of another process."""
        for listener in self._listeners:
            listener(tenants)

    @property
    def waiting(self) -> int:
        """How many writes are queued now."""
        return self._writer.waiting

    def close(self) -> None:
        """Finish what is queued and let go of all connections."""
        self._writer.close()
        self._readers.close()
        if self._guests is not None:
            self._guests.close()
        self.engine.dispose()

    def _open_guests(self) -> Readers:
        """Start the threads for code of others with the first of it."""
        with self._opening:
            if self._guests is None:
                self._guests = Readers(
                    self.engine, threads=GUEST_THREADS, now=self._now, batch_limit=1
                )
            return self._guests

    def _announce(self, tenants: set[TenantId]) -> None:
        for listener in (*self._listeners, *self._own_listeners):
            listener(tenants)

    def _now(self, session: Session) -> datetime:
        """Database time on Postgres, where several processes must agree; else our clock."""
        if self._clock is not None:
            return self._clock.now()
        if is_sqlite(self.engine):
            return SystemClock().now()
        moment: datetime = session.execute(
            text("SELECT clock_timestamp()")
        ).scalar_one()
        return moment


class _Turn:
    """Settles whether a read began before its caller gave up on it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._is_lost = False

    def take(self) -> None:
        """Begin, unless nobody waits any more."""
        with self._lock:
            if self._is_lost:
                raise Unavailable("nobody waits for this any more")
            self._is_taken = True

    def require_taken(self) -> None:
        """Give up what has not begun."""
        with self._lock:
            if not self._is_taken:
                self._is_lost = True
                raise Unavailable(
                    "all threads for what plugins read are busy",
                    retry_after=_TURN_SECONDS,
                    fix=["plugin list", f"try again in {_TURN_SECONDS} s"],
                )


async def _await_unit(
    submit: Callable[[Unit], None],
    work: Callable[[Tx], Result],
    by: Principal,
    key: Hashable,
) -> Result:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Result] = loop.create_future()

    def settle(unit: Unit) -> None:
        if future.cancelled():
            return
        if unit.fault is None:
            future.set_result(unit.result)
        else:
            future.set_exception(unit.fault)

    submit(Unit(work, by, key=key, settle=settle, loop=loop))
    return await future
