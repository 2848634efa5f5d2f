"""Tenants: created in the default one, and blind to each other (R-59)."""

from functools import partial

import pytest

from core.database import Database
from core.identity.tenants import service as tenants
from core.kernel.principal import TenantId, system
from core.kernel.problems import AlreadyExists, Forbidden, InvalidArgument, NotFound

ACME = system(TenantId("acme"))


def test_the_default_tenant_is_there_after_every_start(db: Database) -> None:
    first = db.run(tenants.ensure_default, by=system())
    second = db.run(tenants.ensure_default, by=system())

    assert first == second
    assert first.id == "default"


def test_a_tenant_is_found_by_its_slug(db: Database) -> None:
    made = db.run(lambda tx: tenants.create(tx, "acme", name="Acme Ltd"), by=system())

    assert db.look(lambda tx: tenants.get_(tx, "acme"), by=system()) == made
    assert made.name == "Acme Ltd"


def test_a_second_tenant_of_one_name_is_refused(db: Database) -> None:
    db.run(lambda tx: tenants.create(tx, "acme"), by=system())

    with pytest.raises(AlreadyExists):
        db.run(lambda tx: tenants.create(tx, "acme"), by=system())


def test_another_tenant_sees_only_itself(db: Database) -> None:
    """R-59: the same answer for absent and for another's."""
    db.run(tenants.ensure_default, by=system())
    db.run(lambda tx: tenants.create(tx, "acme"), by=system())

    seen = db.look(tenants.list_, by=ACME)

    assert [tenant.id for tenant in seen] == ["acme"]
    for other in ("default", "nobody", "\ud800", ""):
        with pytest.raises(NotFound):
            db.look(partial(tenants.get_, tenant=other), by=ACME)


def test_the_default_tenant_sees_all(db: Database) -> None:
    db.run(tenants.ensure_default, by=system())
    db.run(lambda tx: tenants.create(tx, "acme"), by=system())

    seen = db.look(tenants.list_, by=system())

    assert [tenant.id for tenant in seen] == ["acme", "default"]


def test_another_tenant_creates_none(db: Database) -> None:
    with pytest.raises(Forbidden):
        db.run(lambda tx: tenants.create(tx, "bcme"), by=ACME)


@pytest.mark.parametrize(
    "slug", ["", "Acme", "a_b", "a" * 41, "a b", "ä", "a\n", "a/b"]
)
def test_what_is_no_slug_is_refused(db: Database, slug: str) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: tenants.create(tx, slug), by=system())
