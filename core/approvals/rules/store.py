"""Queries over approval rules."""

from collections.abc import Sequence

from sqlalchemy import bindparam

from core.approvals.rules.model import Rule
from core.approvals.rules.tables import approval_rules
from core.database import Prepared, Row, Tx
from core.kernel.clock import from_micros
from core.kernel.principal import Role

_TABLE = approval_rules.c
_OWN = _TABLE.tenant_id == bindparam("tenant")
_ALL = approval_rules.select().with_only_columns(
    _TABLE.command, _TABLE.need, _TABLE.role, _TABLE.set_by, _TABLE.created_at
)
_LIST = Prepared(_ALL.where(_OWN).order_by(_TABLE.command))
_OVER = Prepared(
    _ALL.where(_OWN, _TABLE.command.in_([bindparam("exact"), bindparam("noun")]))
)
_FIND = Prepared(_ALL.where(_OWN, _TABLE.command == bindparam("of")))
_DELETE = Prepared(
    approval_rules.delete().where(_OWN, _TABLE.command == bindparam("of"))
)


def put(tx: Tx, rule: Rule) -> None:
    """Store a rule in the place of the one for the same command."""
    tx.change(_DELETE, of=rule.command)
    tx.insert(
        approval_rules,
        {
            "command": rule.command,
            "need": rule.need,
            "role": rule.role.value,
            "set_by": rule.set_by,
        },
    )


def find(tx: Tx, command: str) -> Rule | None:
    """Find the rule for exactly this command or noun."""
    rows = tx.run(_FIND, of=command)
    return _to_rule(rows[0]) if rows else None


def list_(tx: Tx) -> Sequence[Rule]:
    """List all rules by command."""
    return [_to_rule(row) for row in tx.run(_LIST)]


def list_over(tx: Tx, exact: str, noun: str) -> Sequence[Rule]:
    """List the rules that one command is under."""
    return [_to_rule(row) for row in tx.run(_OVER, exact=exact, noun=noun)]


def delete(tx: Tx, command: str) -> None:
    """Remove a rule."""
    tx.change(_DELETE, of=command)


def _to_rule(row: Row) -> Rule:
    command, need, role, set_by, created_at = row
    return Rule(
        command=command,
        need=need,
        role=Role(role),
        set_by=set_by,
        created_at=from_micros(created_at),
    )
