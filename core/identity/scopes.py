"""The algebra of scopes: `family:verb`, where `*` stands for any.

`*` alone is the whole. Nobody hands out more than they hold, and a key never does
more than its owner may do now.
"""

import re
from collections.abc import Iterable

from core.kernel.principal import ROLE_SCOPES, Principal, Role
from core.kernel.problems import InvalidArgument, MissingScope

Scopes = frozenset[str]

ALL = "*"
_SCOPE = re.compile(r"\*|(\*|[a-z][a-z0-9_]{0,39}):(\*|[a-z][a-z0-9_]{0,39})")


def parse_scopes(scopes: Iterable[str]) -> Scopes:
    """Check the form of scopes that somebody typed.

    Raises: InvalidArgument naming the first that is none.
    """
    wanted = frozenset(scopes)
    for scope in sorted(wanted):
        if not _SCOPE.fullmatch(scope):
            raise InvalidArgument(
                f"{scope[:80]!r} is not a scope",
                fix=["write family:verb, such as tasks:write or *:read"],
            )
    return wanted


def scopes_of(roles: Iterable[Role]) -> Scopes:
    """Join the scopes of some roles."""
    return frozenset(scope for role in roles for scope in ROLE_SCOPES[role])


def meet(left: Scopes, right: Scopes) -> Scopes:
    """Return exactly what both sets allow, wildcards included."""
    met = {_meet(one, other) for one in left for other in right}
    return frozenset(met - {""})


def covers(held: Scopes, wanted: Scopes) -> bool:
    """Tell whether everything in `wanted` is allowed by one scope in `held`."""
    return all(any(_meet(own, scope) == scope for own in held) for scope in wanted)


def require_cover(principal: Principal, wanted: Scopes) -> None:
    """Refuse to hand out a right that the principal does not hold.

    Raises: MissingScope naming the first such scope.
    """
    for scope in sorted(wanted):
        if not covers(principal.scopes, frozenset({scope})):
            raise MissingScope(scope, who=principal.name)


def _meet(left: str, right: str) -> str:
    """Return what two scopes have in common, "" if nothing."""
    parts = [_narrower(*pair) for pair in zip(_split(left), _split(right), strict=True)]
    if "" in parts:
        return ""
    return ALL if parts == [ALL, ALL] else ":".join(parts)


def _split(scope: str) -> tuple[str, str]:
    family, _, verb = scope.partition(":")
    return family, verb or ALL


def _narrower(left: str, right: str) -> str:
    if left in (right, ALL):
        return right
    return left if right == ALL else ""
