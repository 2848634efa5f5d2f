"""Queries over users."""

from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import bindparam

from core.database import Prepared, Row, Tx
from core.identity.users.model import User
from core.identity.users.passwords import PasswordHash
from core.identity.users.tables import users
from core.kernel.clock import from_micros
from core.kernel.ids import UserId
from core.kernel.jsons import canonical_json
from core.kernel.principal import Role, TenantId

COLUMNS = (
    users.c.id,
    users.c.tenant_id,
    users.c.name,
    users.c.email,
    users.c.roles,
    users.c.timezone,
    users.c.is_active,
    users.c.password_hash,
    users.c.created_at,
)
_ALL = users.select().with_only_columns(*COLUMNS)
_OWN = users.c.tenant_id == bindparam("tenant")
_GET = Prepared(_ALL.where(_OWN, users.c.id == bindparam("of")))
_BY_NAME = Prepared(_ALL.where(_OWN, users.c.name == bindparam("called")))
_PAGE = Prepared(
    _ALL.where(_OWN, users.c.number > bindparam("after"))
    .order_by(users.c.number)
    .limit(bindparam("most"))
)
_OTHER_ADMIN = Prepared(
    users.select()
    .with_only_columns(users.c.id)
    .where(
        _OWN,
        users.c.id != bindparam("of"),
        users.c.is_active == 1,
        users.c.roles.contains(f'"{Role.ADMIN.value}"'),
    )
    .limit(1)
)
_HASH = Prepared(
    users.select()
    .with_only_columns(users.c.password_hash)
    .where(_OWN, users.c.id == bindparam("of"))
)
_SETTABLE = ("roles", "password_hash", "timezone", "is_active")
_SET = {
    column: Prepared(
        users.update()
        .where(_OWN, users.c.id == bindparam("of"))
        .values({column: bindparam("to"), "version": users.c.version + 1})
    )
    for column in _SETTABLE
}


def add(tx: Tx, row: Mapping[str, object]) -> None:
    """Store a new user."""
    tx.insert(users, row)


def find(tx: Tx, user_id: str) -> User | None:
    """Find a user by id."""
    rows = tx.run(_GET, of=user_id)
    return to_user(rows[0]) if rows else None


def find_by_name(tx: Tx, name: str) -> User | None:
    """Find a user by the folded name."""
    rows = tx.run(_BY_NAME, called=name)
    return to_user(rows[0]) if rows else None


def find_password(tx: Tx, user_id: str) -> PasswordHash:
    """Read a user's password hash, "" if there is none."""
    rows = tx.run(_HASH, of=user_id)
    return PasswordHash(rows[0][0] if rows else "")


def list_after(tx: Tx, number: int, *, most: int) -> Sequence[User]:
    """List users in the order they were made, from after a number on."""
    return [to_user(row) for row in tx.run(_PAGE, after=number, most=most)]


def has_other_admin(tx: Tx, user_id: str) -> bool:
    """Tell whether anybody but this user is an active admin."""
    return bool(tx.run(_OTHER_ADMIN, of=user_id))


def change(tx: Tx, user_id: str, column: str, *, to: str | int) -> None:
    """Set one column of a user."""
    tx.change(_SET[column], of=user_id, to=to)


def render_roles(roles: frozenset[Role]) -> str:
    """Write roles as they are stored."""
    return canonical_json(sorted(roles)).decode()


def to_user(row: Row) -> User:
    """Read a row of COLUMNS."""
    user_id, tenant, name, email, roles, timezone, is_active, password, created_at = row
    return User(
        id=UserId(user_id),
        tenant=TenantId(tenant),
        name=name,
        email=email,
        roles=frozenset(Role(role) for role in orjson.loads(roles)),
        timezone=timezone,
        is_active=bool(is_active),
        has_password=password != "",
        created_at=from_micros(created_at),
    )
