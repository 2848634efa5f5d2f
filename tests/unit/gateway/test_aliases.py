"""The gateway's copy of aliases: each team's own, read again when they have changed."""

from commands.tokens import tokenise
from core.aliases import service as aliases
from core.aliases.model import Definition, Format
from core.database import Database, Tx
from core.identity.tenants import service as tenants
from core.kernel.principal import TenantId, system
from gateway.aliases import TeamAliases

ACME, OTHER = TenantId("acme"), TenantId("other")


def create(db: Database, tenant: TenantId, name: str) -> None:
    definition = Definition(formats=(Format(match=name),), command="task list")

    def make(tx: Tx) -> None:
        aliases.create(tx, name, definition)

    db.run(make, by=system(tenant))


def found(team: TeamAliases, tenant: TenantId, word: str) -> bool:
    return bool(team.of(tenant).beginning(tokenise(word).tokens))


async def a_copy(db: Database) -> TeamAliases:
    def ensure(tx: Tx) -> None:
        for tenant in (ACME, OTHER):
            tenants.create(tx, tenant)

    db.run(ensure, by=system())
    team = TeamAliases(db)
    await team.reload()
    return team


async def test_a_tenant_without_any_has_an_empty_book(db: Database) -> None:
    team = await a_copy(db)

    assert not team.of(ACME)
    assert not team.of(TenantId("unheard-of"))


async def test_each_tenant_has_its_own(db: Database) -> None:
    """R-60."""
    team = await a_copy(db)
    create(db, ACME, "deploy")

    await team.reload()

    assert found(team, ACME, "deploy")
    assert not found(team, OTHER, "deploy")


async def test_what_is_deleted_is_forgotten(db: Database) -> None:
    team = await a_copy(db)
    create(db, ACME, "deploy")
    await team.reload()
    db.run(lambda tx: aliases.delete(tx, "deploy"), by=system(ACME))

    assert found(team, ACME, "deploy")
    await team.reload()
    assert not found(team, ACME, "deploy")


async def test_a_book_is_made_once_for_each_version(db: Database) -> None:
    team = await a_copy(db)
    create(db, ACME, "deploy")
    await team.reload()
    before = team.of(ACME)

    await team.reload()
    create(db, OTHER, "deploy")
    await team.reload()

    assert team.of(ACME) is before
