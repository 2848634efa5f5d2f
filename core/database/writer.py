"""The group-committing writer: many units, one transaction, one fsync."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Engine

from core.database.engine import faults, is_outage, is_sqlite
from core.database.head import Head, lock_heads, save_heads
from core.database.loss import Loss
from core.database.recorder import Lookup, Recorder
from core.database.sqlite_file import has_moved
from core.database.statements import Session
from core.database.tx import Tx
from core.database.unit import Unit, settle_all
from core.kernel.clock import to_micros
from core.kernel.principal import TenantId
from core.kernel.problems import Unavailable

BATCH_LIMIT = 32
QUEUE_LIMIT = 1024
POSTED_LIMIT = 10_000

# What a writer says is found by keys and short indexes, whatever the values are; to
# plan a claim anew for each worker takes longer than to run it. How large the tables
# are does matter: a plan that was made for empty ones must not live on.
_PLAN_ONCE = "SET plan_cache_mode = force_generic_plan"
_PLANS_SECONDS = 10.0
_POSTED_AT_ONCE = 224
_POSTED_WAIT_SECONDS = 0.02

_log = logging.getLogger(__name__)


class _Word(Enum):
    """What is said to the writer beside units."""

    POSTED = auto()
    CLOSE = auto()


class Writer:
    """One thread that takes up to 32 waiting units into each transaction.

    Shape:  a unit's caller is told only after its COMMIT; a unit that raises undoes
            itself alone; a batch that fails as a whole is run again one by one, which
            is safe because a stored unit finds itself through its key. Posted units,
            for which nobody waits, join the next batch, or make one after 20 ms.
    Units:  when the database takes seconds to fail, everybody who waits is refused at
            once: nobody waits for it a second time.
    Raises: Unavailable when the queue is full or the database does not answer.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        recorders: Sequence[Recorder],
        lookup: Lookup,
        on_commit: Callable[[set[TenantId]], None],
        now: Callable[[Session], datetime],
    ) -> None:
        self._engine = engine
        self._recorders = recorders
        self._lookup = lookup
        self._on_commit = on_commit
        self._now = now
        self._faults = faults(engine)
        self._is_committing = False
        self._is_failing = False
        self._planned_at = 0.0
        self._begin = "BEGIN IMMEDIATE" if is_sqlite(engine) else "BEGIN"
        self._queue: queue.SimpleQueue[Unit | _Word] = queue.SimpleQueue()
        self._posted: deque[Unit] = deque()
        self._session: Session | None = None
        self._thread = threading.Thread(
            target=self._loop, name="db-writer", daemon=True
        )
        self._gate = threading.Lock()
        self._is_open = True
        self._thread.start()

    def submit(self, unit: Unit) -> None:
        """Queue a unit; its caller is told through the unit's own callback."""
        with self._gate:
            self._require_open()
            if self._queue.qsize() >= QUEUE_LIMIT:
                raise Unavailable("too many commands are waiting to be stored")
            self._queue.put(unit)

    def post(self, unit: Unit) -> None:
        """Let a unit join a batch soon; nobody is told how it ended."""
        with self._gate:
            self._require_open()
            if len(self._posted) >= POSTED_LIMIT:
                raise Unavailable("too many notes are waiting to be stored")
            self._posted.append(unit)
            if len(self._posted) == 1:
                self._queue.put(_Word.POSTED)

    def close(self) -> None:
        """Finish what is queued, then stop."""
        with self._gate:
            self._is_open = False
            self._queue.put(_Word.CLOSE)
        self._thread.join(timeout=20)

    @property
    def waiting(self) -> int:
        """How many units are queued now."""
        return self._queue.qsize()

    def _require_open(self) -> None:
        if not self._is_open:
            raise Unavailable("the gateway is shutting down")

    def _loop(self) -> None:
        units: list[Unit] = []
        try:
            is_last = False
            while not is_last:
                units, is_last = self._take()
                if units:
                    self._commit(units)
        finally:
            with self._gate:
                self._is_open = False
            self._drop_connection()
            waiting = [unit for unit in units if not unit.is_settled]
            stopped = Unavailable("the writer has stopped; nothing was stored")
            _refuse([*waiting, *self._drain()], stopped)

    def _drain(self) -> list[Unit]:
        """Take everybody who waits; whatever else is queued stays."""
        found = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for word in found:
            if isinstance(word, _Word):
                self._queue.put(word)
        return [unit for unit in found if isinstance(unit, Unit)]

    def _take(self) -> tuple[list[Unit], bool]:
        """Wait for work and take a batch of it; tell whether it is the last."""
        units: list[Unit] = []
        timeout: float | None = None
        while len(units) < BATCH_LIMIT:
            try:
                found = self._queue.get(timeout=timeout)
            except queue.Empty:
                break
            if found is _Word.CLOSE:
                return units + self._take_posted(len(self._posted)), True
            is_note = isinstance(found, _Word)
            if isinstance(found, Unit):
                units.append(found)
            timeout = _POSTED_WAIT_SECONDS if is_note and not units else 0
        return units + self._take_posted(_POSTED_AT_ONCE), False

    def _take_posted(self, most: int) -> list[Unit]:
        taken = [self._posted.popleft() for _ in range(min(most, len(self._posted)))]
        if self._posted:
            self._queue.put(_Word.POSTED)
        return taken

    def _commit(self, units: Sequence[Unit]) -> None:
        """Run a batch and tell its callers; a lost one is run again one by one."""
        loss = self._try(units)
        if loss is None:
            return
        is_patient = not loss.is_slow
        for unit in units:
            is_rerun = is_patient and loss.lets_rerun(unit)
            last = self._try([unit]) if is_rerun else loss
            if last is not None:
                _refuse([unit], last.told(is_own=is_rerun))
                is_patient = is_patient and not last.is_slow
        if not is_patient:
            not_run = replace(loss, is_fate_known=True)
            _refuse(self._drain(), not_run.told(is_own=False))

    def _try(self, units: Sequence[Unit]) -> Loss | None:
        """Run units in one transaction and tell their callers, unless it is lost."""
        self._is_committing = False
        begun = time.monotonic()
        try:
            changed = self._run_batch(units)
        except self._faults as fault:
            loss = Loss(
                fault=fault,
                is_outage=is_outage(self._engine, fault),
                is_fate_known=not self._is_committing,
                seconds=time.monotonic() - begun,
            )
            self._drop_connection()
            self._note_loss(loss)
            return loss
        self._note_success()
        try:
            self._on_commit(changed)
        finally:
            settle_all(units)
        return None

    def _note_loss(self, loss: Loss) -> None:
        """Log an outage when it starts, and every fault that is none."""
        if not (loss.is_outage and self._is_failing):
            _log.warning("db.write_failed", extra={"error": str(loss.fault)})
        self._is_failing = self._is_failing or loss.is_outage

    def _note_success(self) -> None:
        if self._is_failing:
            self._is_failing = False
            _log.info("db.recovered")

    def _run_batch(self, units: Sequence[Unit]) -> set[TenantId]:
        """Commit units; return the tenants that they changed."""
        session = self._open_session()
        session.control(self._begin)
        heads = lock_heads(session, (unit.principal.tenant for unit in units))
        now = self._now(session)
        keys = [unit.key for unit in units if unit.key is not None]
        stored = dict(self._lookup.find(session, keys)) if keys else {}
        drafts = self._run_units(session, units, heads, stored, now)
        self._flush(session, heads, drafts, now)
        self._is_committing = True
        session.control("COMMIT")
        return {head.tenant for head in heads.values() if head.is_dirty}

    def _run_units(
        self,
        session: Session,
        units: Sequence[Unit],
        heads: Mapping[TenantId, Head],
        stored: dict[Hashable, object],
        now: datetime,
    ) -> dict[TenantId, list[object]]:
        drafts: dict[TenantId, list[object]] = {tenant: [] for tenant in heads}
        for unit in units:
            head = heads[unit.principal.tenant]
            numbers = head.snapshot()
            tx = Tx(
                session,
                head,
                principal=unit.principal,
                now=now,
                prior=stored.get(unit.key) if unit.key is not None else None,
            )
            unit.run(tx)
            if session.spoilt_by is not None:
                raise session.spoilt_by
            if unit.fault is not None:
                if is_outage(self._engine, unit.fault):
                    raise unit.fault
                head.restore(numbers)
                continue
            drafts[head.tenant].extend(tx.drafts)
            if unit.key is not None and tx.kept is not None:
                stored[unit.key] = tx.kept
        return drafts

    def _flush(
        self,
        session: Session,
        heads: Mapping[TenantId, Head],
        drafts: Mapping[TenantId, Sequence[object]],
        now: datetime,
    ) -> None:
        session.insert_held()
        micros = to_micros(now)
        for recorder in self._recorders:
            rows: list[Mapping[str, object]] = []
            for tenant, head in heads.items():
                mine = [
                    draft for draft in drafts[tenant] if type(draft) is recorder.draft
                ]
                if mine:
                    rows.extend(recorder.rows(head, mine, micros))
                    head.is_dirty = True
            session.insert_many(recorder.table, rows, merges=tuple(recorder.merges))
        save_heads(session, heads.values())

    def _open_session(self) -> Session:
        if self._session is not None and has_moved(self._session.connection):
            self._drop_connection()
        if self._session is None:
            connection = self._engine.connect()
            self._session = Session(
                connection.execution_options(isolation_level="AUTOCOMMIT")
            )
            if not is_sqlite(self._engine):
                self._session.control(_PLAN_ONCE)
                self._planned_at = time.monotonic()
        if time.monotonic() - self._planned_at > _PLANS_SECONDS:
            self._planned_at = time.monotonic()
            if not is_sqlite(self._engine):
                self._session.control("DISCARD PLANS")
        return self._session

    def _drop_connection(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.connection.invalidate()
            session.connection.close()


def _refuse(units: Sequence[Unit], fault: Exception) -> None:
    for unit in units:
        unit.fault = fault
    settle_all(units)
