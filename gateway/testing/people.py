"""Brings people in: who they are, and which account elsewhere is theirs."""

from core.database import Tx
from core.identity.links import service as links
from core.identity.links.model import Account, Identity
from core.identity.users import service as users
from core.identity.users.model import User, to_principal
from core.kernel.principal import Assurance, Role


def somebody(tx: Tx, name: str, *roles: Role) -> User:
    """Find a person by name, or make one."""
    return users.find_by_name(tx, name) or users.create(tx, name, roles=roles)


def link(tx: Tx, account: Account, user: User) -> Identity:
    """Link an account to a person, as both sides would have done."""
    code = links.request(tx, account)
    tx.principal = to_principal(user, Assurance.SECRET)
    linked = links.confirm(tx, code.text)
    assert isinstance(linked, Identity)
    return linked
