"""What every identity test needs: people, and a way to act as one of them."""

from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, select

from core.database import Database, Tx
from core.events.tables import events
from core.identity.tables import TABLES
from core.identity.tokens import SigningKeys, Tokens
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance, Principal, Role, system

_EVENT_TYPES = (
    select(events.c.type)
    .where(events.c.tenant_id == bindparam("tenant"))
    .order_by(events.c.seq)
)

assert TABLES  # imported so that the database of the tests has them


@pytest.fixture
def tokens() -> Tokens:
    """Tokens signed with a key of this test."""
    keys = SigningKeys(current="k1", secrets={"k1": b"1" * 32})
    return Tokens(lambda: keys)


@pytest.fixture
def given_user(db: Database) -> Callable[..., User]:
    """Create a user as the system does."""

    def create(name: str, *, roles: tuple[Role, ...] = (Role.OPERATOR,)) -> User:
        return db.run(lambda tx: users.create(tx, name, roles=roles), by=system())

    return create


@pytest.fixture
def signed_in() -> Callable[[User], Principal]:
    """Act as a user who has signed in."""
    return lambda user: to_principal(user, Assurance.SECRET)


@pytest.fixture
def events_of(db: Database) -> Callable[[], list[str]]:
    """Read the types of the default tenant's events, in order."""

    def read(tx: Tx) -> list[str]:
        from_table = tx.execute(_EVENT_TYPES, {"tenant": tx.tenant})
        return [row[0] for row in from_table]

    return lambda: db.look(read, by=system())
