"""The core's own tests again, on Postgres: each module here borrows those of one."""

import pytest


@pytest.fixture
def tables_url(tables_on_postgres: str) -> str:
    """Postgres alone, for SQLite is what these tests run on at home."""
    return tables_on_postgres
