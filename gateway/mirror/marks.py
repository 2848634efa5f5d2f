"""How far each tenant's state has come, read in one look."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import select

from core.database import Database, Tx
from core.database.head import heads
from core.database.readers import Readers
from core.database.unit import Unit, blocking_settler
from core.identity.tenants import service as tenants
from core.kernel.clock import Clock
from core.kernel.principal import Principal, TenantId

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The versions of a tenant's collections and the number of its last event."""

    tenant: TenantId
    event_seq: int = 0
    versions: Mapping[str, int] = field(default_factory=dict)


class Look(Protocol):
    """Runs work in a read-only snapshot and waits for its result."""

    def __call__(self, work: Callable[[Tx], Result], *, by: Principal) -> Result:
        """Return what `work` returned; raise what it raised, or Unavailable."""


def read_marks(tx: Tx) -> Sequence[Mark]:
    """Read the marks of all tenants, as the default tenant may."""
    query = select(heads.c.tenant_id, heads.c.event_seq, heads.c.versions)
    found = {
        tenant: Mark(tenant=tenant, event_seq=seq, versions=orjson.loads(versions))
        for tenant, seq, versions in map(tuple, tx.execute(query))
    }
    known = [tenant.id for tenant in tenants.list_(tx)]
    return [found.get(each, Mark(tenant=each)) for each in known]


class OwnReader:
    """A reading thread of the mirror's own: a long look keeps no command waiting."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._readers = Readers(db.engine, threads=1, now=lambda _: clock.now())

    def look(self, work: Callable[[Tx], Result], *, by: Principal) -> Result:
        """Run work in a read-only snapshot and wait for its result."""
        future: Future[Any] = Future()
        self._readers.submit(Unit(work, by, settle=blocking_settler(future)))
        result: Result = future.result()
        return result

    def close(self) -> None:
        """Let go of the thread and its connection."""
        self._readers.close()
