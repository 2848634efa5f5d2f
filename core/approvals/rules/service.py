"""Set, find and delete approval rules; a rule is raised, never lowered."""

from collections.abc import Sequence

from core.approvals.rules import store
from core.approvals.rules.model import (
    COLLECTION,
    MOST_NEEDED,
    Demand,
    Rule,
    demand_of,
    is_lower,
    patterns_of,
)
from core.database import Tx
from core.events.service import append
from core.kernel.principal import Role
from core.kernel.problems import Conflict, InvalidArgument, NotFound


def set_(tx: Tx, command: str, *, need: int, role: Role) -> Rule:
    """Have a command, or a noun's every command, wait for approvals.

    Shape:  `command` is a name that the caller has checked.
    Raises: InvalidArgument for a number or role that cannot be; Conflict when the rule
            that stands asks for more.
    """
    if not 1 <= need <= MOST_NEEDED:
        raise InvalidArgument(
            f"a need of {need} people is not possible",
            fix=[f"use 1 to {MOST_NEEDED}"],
            argument="need",
        )
    if role is Role.VIEWER:
        raise InvalidArgument(
            "a viewer only reads, and can approve nothing",
            fix=["--role operator", "--role admin"],
            argument="role",
        )
    _require_no_less(tx, command, Demand(need=need, role=role))
    store.put(
        tx,
        Rule(
            command=command,
            need=need,
            role=role,
            set_by=tx.principal.name,
            created_at=tx.now,
        ),
    )
    tx.bump(COLLECTION)
    append(tx, "approval_rule_set", target=command, need=need, role=role.value)
    return get_(tx, command)


def get_(tx: Tx, command: str) -> Rule:
    """Get the rule for exactly this command or noun.

    Raises: NotFound.
    """
    found = store.find(tx, command)
    if found is None:
        raise NotFound(
            f"an approval rule for {command[:80]}", fix=["approval rule list"]
        )
    return found


def list_(tx: Tx) -> Sequence[Rule]:
    """List all rules by command."""
    return store.list_(tx)


def delete(tx: Tx, command: str) -> Rule:
    """Remove a rule; what waits already goes on waiting.

    Raises: NotFound.
    """
    rule = get_(tx, command)
    store.delete(tx, command)
    tx.bump(COLLECTION)
    append(tx, "approval_rule_deleted", target=command)
    return rule


def find_demand(tx: Tx, command: str) -> Demand | None:
    """Find what a command waits for; None when no rule is over it.

    Where no rule was ever set, which the head tells, nothing is read.
    """
    if not tx.version(COLLECTION):
        return None
    return demand_of(store.list_over(tx, *patterns_of(command)))


def _require_no_less(tx: Tx, command: str, wanted: Demand) -> None:
    known = store.find(tx, command)
    if known and is_lower(wanted, Demand(need=known.need, role=known.role)):
        raise Conflict(
            f"the rule for {command} asks for {known.need} x {known.role.value}; "
            "setting it anew cannot ask for less",
            fix=[f"approval rule delete '{command}'"],
        )
