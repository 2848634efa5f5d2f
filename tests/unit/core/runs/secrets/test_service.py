"""Secrets of runs: sealed where they are kept, opened for the run that names them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.database import Database, Tx
from core.kernel.principal import Principal, TenantId
from core.kernel.problems import Conflict, InvalidArgument, NotFound, SealBroken
from core.runs import service as runs
from core.runs.model import NewRun, Step
from core.runs.secrets import service as secrets
from core.runs.secrets import store
from core.runs.secrets.tables import run_secrets
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore

KEY = "correct-horse-battery"  # pragma: allowlist secret
USES = NewRun(steps=(Step(name="step", uses="noop", secrets={"TOKEN": "DEPLOY_KEY"}),))


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault with a keystore of its own."""
    return Vault(FileKeystore(tmp_path / "keystore.json"))


def test_a_secret_is_opened_for_a_run_that_names_it(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-69: and for no other."""
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", KEY, vault=vault), by=ann)
    db.run(lambda tx: secrets.set_(tx, "OTHER_KEY", KEY, vault=vault), by=ann)

    assert db.run(lambda tx: _opened(tx, vault, USES), by=ann) == {"DEPLOY_KEY": KEY}
    assert db.run(lambda tx: _opened(tx, vault, NewRun()), by=ann) == {}


def test_a_secret_is_replaced(db: Database, ann: Principal, vault: Vault) -> None:
    first = "first-one-of-all"
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", first, vault=vault), by=ann)
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", KEY, vault=vault), by=ann)

    assert db.run(lambda tx: _opened(tx, vault, USES), by=ann) == {"DEPLOY_KEY": KEY}
    assert len(db.run(secrets.list_, by=ann)) == 1


def test_a_tenant_has_secrets_of_its_own(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-59, R-70: what is moved to another tenant stays shut."""
    other = replace(ann, tenant=TenantId("zulu"))
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", KEY, vault=vault), by=ann)

    assert db.run(secrets.list_, by=other) == []
    assert db.run(lambda tx: _opened(tx, vault, USES), by=other) == {}

    sealed = db.run(_sealed, by=ann)
    db.run(lambda tx: tx.insert(run_secrets, _row(sealed)), by=other)
    with pytest.raises(SealBroken):
        db.run(lambda tx: _opened(tx, vault, USES), by=other)


def test_the_database_never_holds_it(
    db: Database, ann: Principal, vault: Vault
) -> None:
    """R-69."""
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", KEY, vault=vault), by=ann)

    assert KEY not in db.run(_sealed, by=ann)


def test_a_deleted_secret_is_gone(db: Database, ann: Principal, vault: Vault) -> None:
    db.run(lambda tx: secrets.set_(tx, "DEPLOY_KEY", KEY, vault=vault), by=ann)

    db.run(lambda tx: secrets.delete(tx, "DEPLOY_KEY"), by=ann)

    assert db.run(lambda tx: _opened(tx, vault, USES), by=ann) == {}
    with pytest.raises(NotFound):
        db.run(lambda tx: secrets.delete(tx, "DEPLOY_KEY"), by=ann)


@pytest.mark.parametrize("name", ["", "1A", "a b", "a/b", "x" * 65, "é", "A\n"])
def test_a_bad_name_is_refused(
    db: Database, ann: Principal, vault: Vault, name: str
) -> None:
    with pytest.raises(InvalidArgument):
        db.run(lambda tx: secrets.set_(tx, name, KEY, vault=vault), by=ann)


@pytest.mark.parametrize("value", ["", "short", " " * 20, "a\0" + KEY, "x" * 20_000])
def test_what_cannot_be_hidden_is_no_secret(
    db: Database, ann: Principal, vault: Vault, value: str
) -> None:
    """R-69: the refusal does not say what it was."""
    with pytest.raises(InvalidArgument) as refused:
        db.run(lambda tx: secrets.set_(tx, "KEY", value, vault=vault), by=ann)

    assert not value.strip() or value not in str(refused.value)


def test_there_is_an_end_to_secrets(db: Database, ann: Principal, vault: Vault) -> None:
    def fill(tx: Tx) -> None:
        for number in range(201):
            secrets.set_(tx, f"K{number}", KEY, vault=vault)

    with pytest.raises(Conflict):
        db.run(fill, by=ann)


def _opened(tx: Tx, vault: Vault, new: NewRun) -> Mapping[str, str]:
    return secrets.secrets_of(tx, vault, runs.create(tx, new))


def _sealed(tx: Tx) -> str:
    return store.sealed(tx, ["DEPLOY_KEY"])["DEPLOY_KEY"]


def _row(sealed: str) -> dict[str, object]:
    return {"name": "DEPLOY_KEY", "sealed": sealed, "author": "ann", "changed_at": 0}
