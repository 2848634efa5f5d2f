"""The one row per tenant that every writer locks first and numbers from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import BigInteger, Column, Table, Text, bindparam, text

from core.database.metadata import METADATA
from core.database.statements import Prepared, Session
from core.kernel.principal import TenantId

heads = Table(
    "heads",
    METADATA,
    Column("tenant_id", Text, primary_key=True),
    Column("event_seq", BigInteger, nullable=False, server_default="0"),
    Column("inbox_seq", BigInteger, nullable=False, server_default="0"),
    Column("audit_seq", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", Text, nullable=False, server_default=text("''")),
    Column("counters", Text, nullable=False, server_default="{}"),
    Column("versions", Text, nullable=False, server_default="{}"),
)

_SAVE = Prepared(
    heads.update()
    .where(heads.c.tenant_id == bindparam("tenant"))
    .values(
        {
            name: bindparam(name)
            for name in (
                "event_seq",
                "inbox_seq",
                "audit_seq",
                "audit_hash",
                "counters",
                "versions",
            )
        }
    )
)


@dataclass(slots=True)
class Head:
    """A tenant's sequences, id counters and collection versions, under lock."""

    tenant: TenantId
    event_seq: int = 0
    inbox_seq: int = 0
    audit_seq: int = 0
    audit_hash: str = ""
    counters: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    is_dirty: bool = False

    def next_number(self, prefix: str) -> int:
        """Count one further id of this noun."""
        number = self.counters.get(prefix, 0) + 1
        self.counters[prefix] = number
        self.is_dirty = True
        return number

    def advance(self, prefix: str, number: int) -> None:
        """Raise the counter to `number`, for an id that a client chose."""
        if number > self.counters.get(prefix, 0):
            self.counters[prefix] = number
            self.is_dirty = True

    def bump(self, collection: str) -> int:
        """Raise the version of a collection and return it."""
        version = self.versions.get(collection, 0) + 1
        self.versions[collection] = version
        self.is_dirty = True
        return version

    def snapshot(self) -> tuple[dict[str, int], dict[str, int]]:
        """Copy what a unit may change, to be given back to `restore`."""
        return dict(self.counters), dict(self.versions)

    def restore(self, snapshot: tuple[dict[str, int], dict[str, int]]) -> None:
        """Forget the numbers that a rolled-back unit took."""
        self.counters, self.versions = dict(snapshot[0]), dict(snapshot[1])


def lock_heads(session: Session, tenants: Iterable[TenantId]) -> dict[TenantId, Head]:
    """Lock the heads of these tenants, in one order for all writers.

    Head first, then rows, always: taken last, writers of one tenant deadlock.
    """
    wanted = sorted(set(tenants))
    found = _select_locked(session, wanted)
    missing = [tenant for tenant in wanted if tenant not in found]
    if missing:
        for tenant in missing:
            session.insert_missing(heads, {"tenant_id": tenant})
        found = _select_locked(session, wanted)
    return found


def read_head(session: Session, tenant: TenantId) -> Head:
    """Read a tenant's head without locking it."""
    rows = session.run(_READ, {"tenant": tenant})
    return _to_head(rows[0]) if rows else Head(tenant)


def save_heads(session: Session, changed: Iterable[Head]) -> None:
    """Write back the heads that a batch changed."""
    rows = [
        {
            "tenant": head.tenant,
            "event_seq": head.event_seq,
            "inbox_seq": head.inbox_seq,
            "audit_seq": head.audit_seq,
            "audit_hash": head.audit_hash,
            "counters": orjson.dumps(head.counters).decode(),
            "versions": orjson.dumps(head.versions).decode(),
        }
        for head in changed
        if head.is_dirty
    ]
    if rows:
        session.run_many(_SAVE, rows)


_COLUMNS = (
    heads.c.tenant_id,
    heads.c.event_seq,
    heads.c.inbox_seq,
    heads.c.audit_seq,
    heads.c.audit_hash,
    heads.c.counters,
    heads.c.versions,
)
_READ = Prepared(
    heads.select()
    .with_only_columns(*_COLUMNS)
    .where(heads.c.tenant_id == bindparam("tenant"))
)
_LOCK = Prepared(
    heads.select()
    .with_only_columns(*_COLUMNS)
    .where(heads.c.tenant_id == bindparam("tenant"))
    .with_for_update()
)


def _select_locked(
    session: Session, tenants: Sequence[TenantId]
) -> dict[TenantId, Head]:
    rows = [row for tenant in tenants for row in session.run(_LOCK, {"tenant": tenant})]
    return {TenantId(row[0]): _to_head(row) for row in rows}


def _to_head(row: tuple[object, ...]) -> Head:
    tenant, event_seq, inbox_seq, audit_seq, audit_hash, counters, versions = row
    return Head(
        TenantId(str(tenant)),
        event_seq=int(str(event_seq)),
        inbox_seq=int(str(inbox_seq)),
        audit_seq=int(str(audit_seq)),
        audit_hash=str(audit_hash),
        counters=orjson.loads(str(counters)),
        versions=orjson.loads(str(versions)),
    )
