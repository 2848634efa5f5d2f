"""A whole gateway behind its ASGI application, and the people who use it over HTTP."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from core.audit import service as audit
from core.audit.model import AuditEntry, AuditFilter
from core.database import Tx
from core.identity.keys import service as keys
from core.identity.tenants import service as tenants
from core.identity.users import service as users
from core.kernel.principal import DEFAULT_TENANT, Role, TenantId, system
from core.kernel.problems import NotFound
from gateway.flags import FlagFile
from gateway.settings import LimitSettings, Settings
from gateway.sweeper import Sweeper
from gateway.testing import gateway as testing
from gateway.testing.gateway import PROBLEM, Answer, Body, Person
from tests.conftest import FakeClock

ADMIN_KEY = "a-key-of-the-tests-that-opens-nothing-else"
PLENTY = "100000000/minute"

__all__ = ["ADMIN_KEY", "PLENTY", "PROBLEM", "Answer", "Body", "Gateway", "Person"]

_NOTES = ("audit_events", "conversations", "heads", "inbox")


class Gateway(testing.Gateway):
    """A gateway without its tickers; the clock stands still until a test moves it."""

    def __init__(
        self, data: Path, clock: FakeClock, limits: LimitSettings, **settings: Any
    ) -> None:
        self.clock = clock
        self.admin = Person(self, ADMIN_KEY)
        known = Settings(
            data=data,
            bootstrap_admin_key=SecretStr(ADMIN_KEY),
            limits=limits,
            **settings,
        )
        super().__init__(known, clock=clock)

    async def restart(self) -> None:
        await self.stop()
        self._start()
        await self.graph.core.channels.reload()

    async def sweep(self) -> None:
        """Do what the sweeper does every second."""
        await Sweeper(self.graph.db, FlagFile(self.settings.flags_file)).sweep()

    def person(
        self,
        name: str,
        role: Role = Role.OPERATOR,
        *,
        tenant: str = DEFAULT_TENANT,
        scopes: tuple[str, ...] = (),
    ) -> Person:
        """Make a person with a key, in a tenant that is made as well."""

        def make(tx: Tx) -> tuple[str, str]:
            user = users.find_by_name(tx, name) or users.create(tx, name, roles=[role])
            made = keys.create(tx, "test", user_id=user.id, scopes=scopes)
            return made.text, made.key.id

        self._ensure(tenant)
        text, key_id = self.graph.db.run(make, by=system(TenantId(tenant)))
        return Person(self, text, key_id=key_id)

    def audits(self, tenant: str = DEFAULT_TENANT) -> list[AuditEntry]:
        """Read the audit, the oldest first, once the writer has nothing left to do."""
        by = system(TenantId(tenant))
        self.graph.db.run(_nothing, by=by)
        self.graph.pipeline.floods.flush()
        self.graph.db.run(_nothing, by=by)
        return list(reversed(self.graph.db.look(_audited, by=by)))

    def is_intact(self) -> bool:
        """Walk the audit chain."""
        return self.graph.db.look(audit.verify, by=system()).is_intact

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Read every table, but for what notes who asked and which key was used."""
        self.graph.db.run(_nothing, by=system())
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(
                "SELECT name FROM sqlite_master WHERE type='table'"
            )
            names = sorted(row[0] for row in found)
            return {
                name: _rows(connection, name) for name in names if name not in _NOTES
            }

    @property
    def path(self) -> Path:
        """The database file."""
        return self.settings.data / "opswire.db"

    def _ensure(self, tenant: str) -> None:
        def ensure(tx: Tx) -> None:
            try:
                tenants.get_(tx, tenant)
            except NotFound:
                tenants.create(tx, tenant)

        self.graph.db.run(ensure, by=system())


def _audited(tx: Tx) -> list[AuditEntry]:
    """Read page by page, the newest first."""
    found: list[AuditEntry] = []
    cursor: str | None = ""
    while cursor is not None:
        page = audit.list_(tx, AuditFilter(), limit=100, cursor=cursor)
        found += page.items
        cursor = page.next
    return found


def _rows(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    cursor = connection.execute(f"SELECT * FROM {table}")
    kept = [n for n, each in enumerate(cursor.description) if each[0] != "last_used_at"]
    return sorted(tuple(row[n] for n in kept) for row in cursor)


def _nothing(_: Tx) -> None:
    """Wait behind everything that was posted."""
