"""What a user is, how one may be called, and the rights that follow."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from zoneinfo import available_timezones

from core.identity.scopes import Scopes, scopes_of
from core.kernel.ids import UserId
from core.kernel.principal import Assurance, Principal, Role, TenantId
from core.kernel.problems import InvalidArgument

_HANDLE = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_TAKEN_FOR_AN_ID = re.compile(r"[a-z]{1,2}-[0-9]+")
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,190}")
_RESERVED = frozenset({"all", "anonymous", "last", "me", "nobody", "system", "this"})


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person of a tenant. `name` is the handle that tasks are assigned to."""

    id: UserId
    tenant: TenantId
    name: str
    email: str
    roles: frozenset[Role]
    timezone: str
    is_active: bool
    has_password: bool
    created_at: datetime

    @property
    def scopes(self) -> Scopes:
        """What the user's roles allow."""
        return scopes_of(self.roles)


def to_principal(
    user: User,
    assurance: Assurance,
    *,
    scopes: Scopes | None = None,
    key_id: str = "",
    session: str = "",
) -> Principal:
    """Make the principal of a user; without `scopes`, with all that the roles allow."""
    return Principal(
        id=user.id,
        name=user.name,
        tenant=user.tenant,
        roles=user.roles,
        scopes=user.scopes if scopes is None else scopes,
        assurance=assurance,
        key_id=key_id,
        timezone=user.timezone,
        session=session,
    )


def fold_name(text: str) -> str:
    """Bring a name into its one spelling, so that no two users look alike.

    Width, case and compatibility forms fold away; what is then outside ASCII is no
    name, which leaves no look-alike letters of other scripts either.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def is_name(text: str) -> bool:
    """Tell whether a folded text could be a user's name."""
    return _HANDLE.fullmatch(text) is not None


def parse_name(text: str) -> str:
    """Read the name of a new user.

    Raises: InvalidArgument when it is no handle, or a word with a meaning of its own.
    """
    name = fold_name(text)
    if not is_name(name):
        raise InvalidArgument(
            f"{text[:80]!r} is not a user name",
            fix=["use 1 to 40 of a-z, 0-9, . _ and -, such as ann or bob.smith"],
        )
    if name in _RESERVED or _TAKEN_FOR_AN_ID.fullmatch(name):
        raise InvalidArgument(
            f"{name} has a meaning of its own", fix=["choose another name"]
        )
    return name


def parse_email(text: str) -> str:
    """Read an address, "" for none.

    Raises: InvalidArgument.
    """
    if text and not _EMAIL.fullmatch(text):
        raise InvalidArgument(
            f"{text[:80]!r} is not an e-mail address", fix=["write ann@example.org"]
        )
    return text


def parse_roles(roles: Iterable[str]) -> frozenset[Role]:
    """Read at least one role.

    Raises: InvalidArgument.
    """
    wanted = set(roles)
    if unknown := sorted(wanted - set(Role)):
        raise InvalidArgument(
            f"{unknown[0][:80]!r} is not a role", fix=[f"use {', '.join(Role)}"]
        )
    if not wanted:
        raise InvalidArgument("no role was given", fix=[f"use {', '.join(Role)}"])
    return frozenset(Role(role) for role in wanted)


def parse_timezone(text: str) -> str:
    """Read the name of a time zone.

    Raises: InvalidArgument.
    """
    if text not in _zones():
        raise InvalidArgument(
            f"{text[:80]!r} is not a time zone", fix=["use a name like Europe/Berlin"]
        )
    return text


@cache
def _zones() -> frozenset[str]:
    """Listing the zones reads hundreds of files, so it is done once."""
    return frozenset(available_timezones())
