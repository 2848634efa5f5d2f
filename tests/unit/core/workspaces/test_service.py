"""Workspaces as rows: named once, sealed, each of one tenant, consented to once."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.database import Database, Tx
from core.kernel.principal import TenantId, system
from core.kernel.problems import (
    AlreadyExists,
    Conflict,
    InvalidArgument,
    NotFound,
    SealBroken,
    Unauthenticated,
)
from core.secrets.vault import Vault
from core.workspaces import service as workspaces
from core.workspaces.model import (
    CONSENT_TTL,
    Team,
    account_of,
    tenant_of,
    tenant_of_state,
)
from gateway.adapters.keystore import FileKeystore
from tests.conftest import FakeClock

TOKEN = "xoxb-0123456789-an-invented-token"  # pragma: allowlist secret
TEAM = Team(team_id="T1", enterprise_id="", bot_user_id="U1", name="acme")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(FileKeystore(tmp_path / "keystore.json"))


def test_a_workspace_belongs_to_its_tenant_alone(db: Database, vault: Vault) -> None:
    """R-60."""
    acme, other = system(TenantId("acme")), system(TenantId("other"))
    db.run(lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=acme)

    assert db.run(workspaces.list_, by=other) == []
    with pytest.raises(NotFound):
        db.run(lambda tx: workspaces.remove(tx, "main"), by=other)


def test_a_token_moved_to_another_tenant_does_not_open(
    db: Database, vault: Vault
) -> None:
    """R-62."""
    acme = TenantId("acme")
    made = db.run(
        lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=system(acme)
    )

    assert workspaces.open_token(made, acme, vault=vault) == TOKEN
    with pytest.raises(SealBroken):
        workspaces.open_token(made, TenantId("other"), vault=vault)


@pytest.mark.parametrize(
    "token", ["", "xoxb-", "xoxp-0123456789", "xapp-1-A", "x" * 20]
)
def test_what_is_no_bot_token_is_refused_and_not_repeated(
    db: Database, vault: Vault, token: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        db.run(lambda tx: workspaces.add(tx, "main", token, vault=vault), by=system())

    assert not token or token not in refused.value.detail


@pytest.mark.parametrize("name", ["", "default", "Main", "a.b", "a" * 41])
def test_a_name_that_could_be_another_account_is_refused(
    db: Database, vault: Vault, name: str
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: workspaces.add(tx, name, TOKEN, vault=vault), by=system())


def test_a_name_is_taken_once(db: Database, vault: Vault) -> None:
    db.run(lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=system())

    with pytest.raises(AlreadyExists):
        db.run(lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=system())


def test_a_team_once_known_stays_known_through_an_outage(
    db: Database, vault: Vault
) -> None:
    db.run(lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=system())
    db.run(lambda tx: workspaces.note(tx, "main", team=TEAM), by=system())

    db.run(
        lambda tx: workspaces.note(tx, "main", team=None, fault="out of order"),
        by=system(),
    )

    [found] = db.run(workspaces.list_, by=system())
    assert (found.team, found.fault) == (TEAM, "out of order")


@pytest.mark.parametrize("tenant", ["default", "acme"])
def test_an_account_names_its_tenant(tenant: str) -> None:
    assert tenant_of(account_of(TenantId(tenant), "main")) == tenant


def test_a_hundred_are_enough(db: Database, vault: Vault) -> None:
    def fill(tx: Tx) -> None:
        for number in range(workspaces.MOST):
            workspaces.add(tx, f"w{number}", TOKEN, vault=vault)

    db.run(fill, by=system())

    with pytest.raises(Conflict):
        db.run(lambda tx: workspaces.add(tx, "more", TOKEN, vault=vault), by=system())


# ── consents ──────────────────────────────────────────────────────────────────
def test_a_consent_counts_once(db: Database) -> None:
    state = db.run(
        lambda tx: workspaces.await_consent(tx, "acme"), by=system(name="ann")
    )

    consent = db.run(lambda tx: workspaces.use_consent(tx, state), by=system())

    assert (consent.name, consent.asked_by) == ("acme", "ann")
    with pytest.raises(Unauthenticated):
        db.run(lambda tx: workspaces.use_consent(tx, state), by=system())


def test_a_consent_is_its_tenants_alone(db: Database) -> None:
    """R-60."""
    acme = TenantId("acme")
    state = db.run(lambda tx: workspaces.await_consent(tx, "main"), by=system(acme))

    assert tenant_of_state(state) == acme
    with pytest.raises(Unauthenticated):
        db.run(lambda tx: workspaces.use_consent(tx, state), by=system())


def test_a_consent_ends_after_a_quarter_of_an_hour(
    db: Database, clock: FakeClock
) -> None:
    state = db.run(lambda tx: workspaces.await_consent(tx, "acme"), by=system())
    clock.advance(CONSENT_TTL + timedelta(seconds=1))

    with pytest.raises(Unauthenticated):
        db.run(lambda tx: workspaces.use_consent(tx, state), by=system())


def test_nobody_is_asked_about_a_name_that_is_taken(db: Database, vault: Vault) -> None:
    db.run(lambda tx: workspaces.add(tx, "main", TOKEN, vault=vault), by=system())

    with pytest.raises(AlreadyExists):
        db.run(lambda tx: workspaces.await_consent(tx, "main"), by=system())


@pytest.mark.parametrize("state", ["", ".", "A.x", "\ud800", "a b.c", "x" * 1_000])
def test_a_state_that_is_none_of_ours_is_refused(state: str) -> None:
    with pytest.raises(Unauthenticated):
        tenant_of_state(state)
