"""The gateway's copy of every team's aliases."""

from commands.alias_book import NO_ALIASES, Book, book_of
from core.aliases.service import COLLECTION
from core.database import Database, Tx
from core.kernel.principal import TenantId, system
from gateway.sweeper import list_tenants


class TeamAliases:
    """Asked for every line, so kept in memory and looked after every second.

    Shape:  a book is read again only when its tenant's aliases have changed, by
            whichever gateway.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._books: dict[TenantId, Book] = {}
        self._versions: dict[TenantId, int] = {}

    def of(self, tenant: TenantId) -> Book:
        """Return a tenant's aliases, as they were read last."""
        return self._books.get(tenant, NO_ALIASES)

    async def reload(self) -> None:
        """Read the aliases of all tenants in which there is another version of them."""
        for tenant in await self._db.read(list_tenants, by=system()):
            by = system(tenant)
            version = await self._db.read(_version, by=by)
            if version != self._versions.get(tenant, 0):
                book, self._versions[tenant] = await self._db.read(_read, by=by)
                self._books[tenant] = book


def _version(tx: Tx) -> int:
    return tx.version(COLLECTION)


def _read(tx: Tx) -> tuple[Book, int]:
    """Read both in one snapshot, so that a book is never older than its version."""
    return book_of(tx), tx.version(COLLECTION)
