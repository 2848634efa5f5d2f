"""What subscriptions are made with."""

from pathlib import Path

import pytest

from core.database import Database
from core.kernel.principal import Principal
from core.secrets.vault import Vault
from gateway.adapters.keystore import FileKeystore
from tests.subscribers import a_user


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    """A vault of this test."""
    return Vault(FileKeystore(tmp_path / "keystore.json"))


@pytest.fixture
def ann(db: Database) -> Principal:
    """A person who may see everything."""
    return a_user(db, "ann")
