"""Create and change users; nobody gives away a right that they do not hold."""

from collections.abc import Iterable

from core.database import Tx
from core.events.service import append
from core.identity.scopes import require_cover, scopes_of
from core.identity.sessions import service as sessions
from core.identity.users import store
from core.identity.users.model import (
    User,
    fold_name,
    is_name,
    parse_email,
    parse_name,
    parse_roles,
    parse_timezone,
)
from core.identity.users.passwords import NO_PASSWORD, PasswordHash
from core.kernel.ids import number_of
from core.kernel.jsons import Json
from core.kernel.pages import PAGE_LIMIT, Page, page_size, parse_cursor, render_cursor
from core.kernel.principal import Role
from core.kernel.problems import AlreadyExists, Conflict, NotFound

ADMIN = "admin"


def create(
    tx: Tx,
    name: str,
    *,
    roles: Iterable[str] = (Role.VIEWER,),
    email: str = "",
    timezone: str = "UTC",
    password: PasswordHash = NO_PASSWORD,
) -> User:
    """Create a user; the name is folded to its one spelling.

    Raises: AlreadyExists when the name, or a twin of it, is taken; InvalidArgument;
            MissingScope when a role allows more than the caller may do.
    """
    handle, wanted = parse_name(name), parse_roles(roles)
    require_cover(tx.principal, scopes_of(wanted))
    if store.find_by_name(tx, handle) is not None:
        raise AlreadyExists(f"the user {handle} exists already", fix=["user list"])
    user_id = tx.new_id("U")
    store.add(
        tx,
        {
            "id": user_id,
            "number": number_of(user_id, "U"),
            "name": handle,
            "email": parse_email(email),
            "roles": store.render_roles(wanted),
            "password_hash": password,
            "timezone": parse_timezone(timezone),
            "is_active": 1,
        },
    )
    tx.bump("users")
    append(tx, "user_created", target=user_id, name=handle, roles=_names(wanted))
    return get_(tx, user_id)


def ensure_admin(tx: Tx) -> User:
    """Create the user `admin` unless it exists; run at every start."""
    found = store.find_by_name(tx, ADMIN)
    return found or create(tx, ADMIN, roles=[Role.ADMIN])


def get_(tx: Tx, user_id: str) -> User:
    """Get a user by id.

    Raises: NotFound.
    """
    found = store.find(tx, user_id)
    if found is None:
        raise NotFound(f"the user {user_id[:40]}", fix=["user list"])
    return found


def find_by_name(tx: Tx, name: str) -> User | None:
    """Find a user by name, in any spelling of it."""
    folded = fold_name(name)
    return store.find_by_name(tx, folded) if is_name(folded) else None


def find_password(tx: Tx, name: str) -> tuple[User | None, PasswordHash]:
    """Find who signs in by this name, and the hash to check on another thread.

    Shape:  without such a user, or for a disabled one, the hash is NO_PASSWORD, which
            no password fits.
    """
    user = find_by_name(tx, name)
    if user is None or not user.is_active:
        return None, NO_PASSWORD
    return user, store.find_password(tx, user.id)


def list_(tx: Tx, *, cursor: str = "", limit: int = PAGE_LIMIT) -> Page[User]:
    """List users in the order they were made.

    Raises: InvalidQuery.
    """
    after = parse_cursor(cursor) if cursor else 0
    found = store.list_after(tx, after, most=page_size(limit) + 1)
    items = found[:limit]
    has_more = len(found) > limit
    last = number_of(items[-1].id, "U") if has_more else None
    return Page(items, render_cursor(last) if last else None)


def set_roles(tx: Tx, user_id: str, roles: Iterable[str]) -> User:
    """Replace a user's roles; keys and sessions follow within seconds.

    Raises: NotFound, InvalidArgument, MissingScope, Conflict for the last admin.
    """
    user, wanted = get_(tx, user_id), parse_roles(roles)
    require_cover(tx.principal, user.scopes | scopes_of(wanted))
    if Role.ADMIN not in wanted:
        _require_another_admin(tx, user)
    _change(tx, user, "roles", to=store.render_roles(wanted))
    append(tx, "user_roles_changed", target=user.id, roles=_names(wanted))
    return get_(tx, user.id)


def set_timezone(tx: Tx, user_id: str, timezone: str) -> User:
    """Set the zone in which a user reads and writes times.

    Raises: NotFound, InvalidArgument.
    """
    user = get_(tx, user_id)
    _change(tx, user, "timezone", to=parse_timezone(timezone))
    return get_(tx, user.id)


def set_password(tx: Tx, user_id: str, password: PasswordHash) -> User:
    """Replace a user's password and end all of the user's sessions.

    Raises: NotFound, MissingScope when the user may do more than the caller.
    """
    user = get_(tx, user_id)
    require_cover(tx.principal, user.scopes)
    _change(tx, user, "password_hash", to=password)
    sessions.end_all(tx, user.id)
    append(tx, "user_password_changed", target=user.id)
    return get_(tx, user.id)


def disable(tx: Tx, user_id: str) -> User:
    """Shut a user out, whose sessions end and whose keys stop working.

    Raises: NotFound, MissingScope when the user may do more than the caller, Conflict
            for the last admin.
    """
    user = get_(tx, user_id)
    require_cover(tx.principal, user.scopes)
    _require_another_admin(tx, user)
    if user.is_active:
        _change(tx, user, "is_active", to=0)
        sessions.end_all(tx, user.id)
        append(tx, "user_disabled", target=user.id)
    return get_(tx, user.id)


def enable(tx: Tx, user_id: str) -> User:
    """Let a disabled user in again; keys work again, sessions must be begun anew.

    Raises: NotFound, MissingScope when the user may do more than the caller.
    """
    user = get_(tx, user_id)
    require_cover(tx.principal, user.scopes)
    if not user.is_active:
        _change(tx, user, "is_active", to=1)
        append(tx, "user_enabled", target=user.id)
    return get_(tx, user.id)


def _require_another_admin(tx: Tx, user: User) -> None:
    """Keep somebody who can let the others in again."""
    if Role.ADMIN not in user.roles or not user.is_active:
        return
    if not store.has_other_admin(tx, user.id):
        raise Conflict(
            f"{user.name} is the last admin here",
            fix=["user create <name> --roles admin"],
        )


def _change(tx: Tx, user: User, column: str, *, to: str | int) -> None:
    store.change(tx, user.id, column, to=to)
    tx.bump("users")


def _names(roles: frozenset[Role]) -> list[Json]:
    return [role.value for role in sorted(roles)]
