"""The transaction that a service receives: its tenant, its time, its ids, its records."""

from collections.abc import Hashable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

from sqlalchemy import CursorResult, Table
from sqlalchemy.sql import Executable

from core.database.head import Head, read_head
from core.database.memo import Memo
from core.database.statements import HeldRow, Prepared, Row, Session, Values
from core.kernel.clock import Micros, to_micros
from core.kernel.ids import numbered, random_id, random_share
from core.kernel.principal import Principal, TenantId

_NO_HEAD = Head(TenantId(""))


class Attempt:
    """A part of a unit that is undone when it raises, or when it is told to be."""

    __slots__ = (
        "_head",
        "_kept",
        "_mark",
        "_numbers",
        "_savepoint",
        "_tx",
        "is_undone",
    )

    def __init__(self, tx: "Tx") -> None:
        self._tx = tx
        self.is_undone = False

    def undo(self) -> None:
        """Have everything inside undone at its end (a dry run)."""
        self.is_undone = True

    def __enter__(self) -> "Attempt":
        self._savepoint = self._tx.nest()
        self._head = self._tx.head
        self._numbers = self._head.snapshot()
        self._mark = len(self._tx.drafts)
        self._kept = self._tx.kept
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_good = fault is None and not self.is_undone
        if not is_good:
            self._head.restore(self._numbers)
            self._tx.forget(self._mark)
            self._tx.kept = self._kept
        self._tx.unnest(self._savepoint, is_good=is_good)


class Tx:
    """One unit of work. Services take it first and never commit it.

    `prior` is what the lookup found stored under the unit's key, None if nothing.
    `now` is one moment for the whole unit: database time on Postgres. `channel` is
    the door the command came in by and `cause` its request, both "" for the gateway's
    own work.
    """

    def __init__(
        self,
        session: Session,
        head: Head,
        *,
        principal: Principal,
        now: datetime,
        prior: object = None,
    ) -> None:
        self.principal = principal
        self.tenant: TenantId = principal.tenant
        self.now = now
        self.channel = ""
        self.cause = ""
        self.prior = prior
        self.kept: object = None
        self.drafts: list[object] = []
        self._held: list[HeldRow] = []
        self._session = session
        self.head = head
        self._has_savepoint = False
        self._depth = 0

    @property
    def micros(self) -> Micros:
        """The moment of this unit as stored in rows."""
        return to_micros(self.now)

    # ── statements ────────────────────────────────────────────────────────────
    def execute(
        self, statement: Executable, values: Values | None = None
    ) -> CursorResult[Any]:
        """Run a SQLAlchemy statement that is built per call."""
        self._open()
        return self._session.execute(statement, values)

    def run(self, prepared: Prepared, **values: object) -> list[Row]:
        """Run a prepared query with this tenant's id bound as `tenant`."""
        self._open()
        return self._session.run(prepared, {"tenant": self.tenant, **values})

    def change(self, prepared: Prepared, **values: object) -> int:
        """Run a prepared update or delete of this tenant's rows; give the count."""
        self._open()
        return self._session.change(prepared, {"tenant": self.tenant, **values})

    def insert(self, table: Table, row: Mapping[str, object]) -> None:
        """Insert a row of this tenant, created now.

        The row is held back until a statement might see it, or the batch ends: rows
        of one shape then go out together, and a unit that only inserts costs none.
        """
        self._held.append(
            (table, {"tenant_id": self.tenant, "created_at": self.micros, **row})
        )

    def recall(self, key: Hashable) -> object:
        """Return an immutable value that an earlier read remembered, None otherwise.

        Shape:  `key` names the value's version, so that it can never mean another one.
        """
        return None

    def remember(self, key: Hashable, value: object) -> None:
        """Let later reads recall a value; what a write sees is not committed yet."""

    # ── ids, versions, records ────────────────────────────────────────────────
    def new_id(self, prefix: str) -> str:
        """Take the tenant's next number of this noun: `T-12`."""
        return numbered(prefix, self.head.next_number(prefix))

    def advance_id(self, prefix: str, number: int) -> None:
        """Note that a client chose this number, so that ours go on after it."""
        self.head.advance(prefix, number)

    def last_number(self, prefix: str) -> int:
        """Read the highest number that this noun was ever given; 0 if none."""
        return self.head.counters.get(prefix, 0)

    def next_fence(self) -> int:
        """Take the tenant's next fencing token; they only ever grow."""
        return self.head.next_number("fence")

    def new_token(self, prefix: str) -> str:
        """Make a random, sortable id that cannot be guessed."""
        return random_id(prefix)

    def draw(self) -> float:
        """Draw a number from 0 to below 1, as jitter wants it."""
        return random_share()

    def bump(self, collection: str) -> int:
        """Raise a collection's version, which its ETag carries."""
        return self.head.bump(collection)

    def version(self, collection: str) -> int:
        """Read a collection's version."""
        return self.head.versions.get(collection, 0)

    @property
    def event_seq(self) -> int:
        """The last event's sequence number that this unit can see."""
        return self.head.event_seq

    def touch(self) -> None:
        """Have the head written though nothing changed, to see that writing works."""
        self.head.is_dirty = True

    def record(self, draft: object) -> None:
        """Buffer an event, audit or inbox entry; its recorder numbers it at the flush."""
        self.drafts.append(draft)

    def keep(self, value: object) -> None:
        """Make `value` the `prior` of later units of this batch with the same key."""
        self.kept = value

    # ── savepoints ────────────────────────────────────────────────────────────
    def attempt(self) -> Attempt:
        """Undo everything inside if it raises, or if it is told to.

        Services open none; the bus opens one around a handler. An attempt that
        begins before any statement shares the unit's own savepoint, which saves two
        statements per command.
        """
        return Attempt(self)

    def nest(self) -> str:
        """Open a savepoint for an attempt, unless the unit's own will do."""
        if self._held:
            self._open()
        if not self._has_savepoint:
            return "unit"
        self._depth += 1
        self._session.control(f"SAVEPOINT attempt_{self._depth}")
        return f"attempt_{self._depth}"

    def unnest(self, savepoint: str, *, is_good: bool) -> None:
        """End an attempt's savepoint."""
        if not is_good and self._has_savepoint:
            self._session.control(f"ROLLBACK TO SAVEPOINT {savepoint}")
        if savepoint != "unit":
            self._depth -= 1
            self._session.control(f"RELEASE SAVEPOINT {savepoint}")

    def forget(self, mark: int) -> None:
        """Drop what an undone attempt drafted and held back."""
        del self.drafts[mark:]
        self._held.clear()

    def close(self, *, is_good: bool) -> None:
        """End the unit's savepoint; the writer calls this once."""
        if self._has_savepoint:
            if not is_good:
                self._session.control("ROLLBACK TO SAVEPOINT unit")
            self._session.release("unit")
            self._has_savepoint = False
        if is_good:
            self._session.held.extend(self._held)

    def _open(self) -> None:
        """Make everything that was held back visible to the statement to come."""
        if not self._has_savepoint:
            self._session.insert_earlier()
            self._session.control("SAVEPOINT unit")
            self._has_savepoint = True
        if self._held:
            self._session.held, self._held = self._held, []
            self._session.insert_held()


class ReadTx(Tx):
    """A unit that only looks; its connection refuses writes as well."""

    def __init__(
        self, session: Session, *, principal: Principal, now: datetime, memo: Memo
    ) -> None:
        super().__init__(session, _NO_HEAD, principal=principal, now=now)
        self._memo = memo

    @property
    def event_seq(self) -> int:
        """The last event's sequence number in this snapshot."""
        return self._snapshot_head().event_seq

    def version(self, collection: str) -> int:
        """Read a collection's version in this snapshot."""
        return self._snapshot_head().versions.get(collection, 0)

    def last_number(self, prefix: str) -> int:
        """Read the highest number that this noun was ever given; 0 if none."""
        return self._snapshot_head().counters.get(prefix, 0)

    def _snapshot_head(self) -> Head:
        """Read the head when it is first asked for; most reads never do."""
        if self.head is _NO_HEAD:
            self.head = read_head(self._session, self.tenant)
        return self.head

    def recall(self, key: Hashable) -> object:
        """Return an immutable value that an earlier read remembered, None otherwise."""
        return self._memo.find((self.tenant, key))

    def remember(self, key: Hashable, value: object) -> None:
        """Let later reads recall a value; a snapshot shows committed ones only."""
        self._memo.keep((self.tenant, key), value)

    def insert(self, table: Table, row: Mapping[str, object]) -> None:
        """Refuse: what a read held back would never be inserted."""
        raise TypeError(f"a read unit cannot insert into {table.name}")

    def record(self, draft: object) -> None:
        """Refuse: a read has nothing to record inside its own transaction."""
        raise TypeError(f"a read unit cannot record {type(draft).__name__}")

    def _open(self) -> None:
        """Reads need no savepoint."""
