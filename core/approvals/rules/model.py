"""A rule, whom it asks for, and what several rules demand together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.kernel.principal import Role

MOST_NEEDED = 5
COLLECTION = "approval_rules"

_RANKS = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Commands that wait for `need` people of a role, or of a higher one.

    Shape:  `command` is a canonical name (`task move`), or a noun with every verb that
            it has or gets (`task *`).
    """

    command: str
    need: int
    role: Role
    set_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What one command waits for: so many people of at least this role."""

    need: int
    role: Role


def patterns_of(command: str) -> tuple[str, str]:
    """Name the two rules that a command may be under: its own and its noun's."""
    return command, f"{command.partition(' ')[0]} *"


def has_rank(roles: frozenset[Role], wanted: Role) -> bool:
    """Tell whether one of some roles is the wanted one or stands above it."""
    return any(_RANKS[role] >= _RANKS[wanted] for role in roles)


def is_lower(new: Demand, old: Demand) -> bool:
    """Tell whether `new` asks for fewer people or for a lesser role."""
    return new.need < old.need or _RANKS[new.role] < _RANKS[old.role]


def demand_of(rules: Sequence[Rule]) -> Demand | None:
    """Join rules into one demand, of each the stricter part; None without a rule."""
    if not rules:
        return None
    return Demand(
        need=max(each.need for each in rules),
        role=max((each.role for each in rules), key=lambda role: _RANKS[role]),
    )
