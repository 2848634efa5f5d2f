"""Make, change, list and remove a team's aliases; no two of them accept one line."""

from collections.abc import Sequence

from core.aliases import store
from core.aliases.model import (
    Alias,
    Definition,
    check,
    parse_name,
    require_apart,
    unknown,
)
from core.database import Tx
from core.events.service import append
from core.kernel.problems import AlreadyExists, Conflict

COLLECTION = "aliases"
MOST = 200


def create(tx: Tx, name: str, definition: Definition) -> Alias:
    """Make an alias; its name must be free, and its formats nobody else's.

    Raises: InvalidArgument, AlreadyExists, AliasClash naming both formats, Conflict
            when there are two hundred.
    """
    parse_name(name)
    check(definition)
    others = store.list_(tx, most=MOST)
    if any(each.name == name for each in others):
        raise AlreadyExists(
            f"the alias {name} exists already", fix=[f"alias show {name}"]
        )
    if len(others) == MOST:
        raise Conflict(
            f"there are {MOST} aliases already, and a team has no more",
            fix=[f"alias delete {others[0].name}", "alias list"],
        )
    _require_apart(name, definition, others)
    store.add(tx, name, definition)
    tx.bump(COLLECTION)
    append(tx, "alias_created", target=name, command=definition.command)
    return get_(tx, name)


def redefine(tx: Tx, name: str, definition: Definition) -> Alias:
    """Put another definition in the place of an alias's own.

    Raises: NotFound, InvalidArgument, AliasClash naming both formats.
    """
    get_(tx, name)
    check(definition)
    _require_apart(name, definition, store.list_(tx, most=MOST))
    store.define(tx, name, definition)
    tx.bump(COLLECTION)
    append(tx, "alias_changed", target=name, command=definition.command)
    return get_(tx, name)


def get_(tx: Tx, name: str) -> Alias:
    """Get an alias by its name.

    Raises: NotFound.
    """
    found = store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx) -> Sequence[Alias]:
    """List a tenant's aliases by name; there are two hundred at most."""
    return store.list_(tx, most=MOST)


def delete(tx: Tx, name: str) -> Alias:
    """Remove an alias; from then on nobody is understood who says it.

    Raises: NotFound.
    """
    alias = get_(tx, name)
    store.delete(tx, name)
    tx.bump(COLLECTION)
    append(tx, "alias_deleted", target=name)
    return alias


def _require_apart(name: str, definition: Definition, known: Sequence[Alias]) -> None:
    others = [(each.name, each.definition) for each in known if each.name != name]
    require_apart(name, definition, others)
