"""Register, change, list and remove tools, and give them to jobs."""

from collections.abc import Sequence
from dataclasses import replace

from core.database import Tx
from core.events.service import append
from core.jobs.tools import store
from core.jobs.tools.model import COLLECTION, MOST, Tool, checked, unknown
from core.kernel.problems import AlreadyExists, Conflict


def create(tx: Tx, tool: Tool) -> Tool:
    """Register a tool; its name must be free.

    Raises: InvalidArgument, AlreadyExists, Conflict when there are two hundred.
    """
    made = _ours(tx, tool)
    if store.find(tx, made.name) is not None:
        raise AlreadyExists(
            f"the tool {made.name} exists already", fix=[f"tool show {made.name}"]
        )
    if len(store.list_(tx, most=MOST)) == MOST:
        raise Conflict(
            f"there are {MOST} tools already, and a team has no more",
            fix=["tool list", "tool delete <name>"],
        )
    store.add(tx, made)
    return _tell(tx, "tool_created", made)


def change(tx: Tx, tool: Tool) -> Tool:
    """Put another tool in the place of the one with its name.

    Raises: InvalidArgument, NotFound.
    """
    get_(tx, tool.name)
    changed = _ours(tx, tool)
    store.update(tx, changed)
    return _tell(tx, "tool_changed", changed)


def delete(tx: Tx, name: str) -> Tool:
    """Remove a tool; a preset that still names it begins no job until it is changed.

    Raises: NotFound.
    """
    tool = get_(tx, name)
    store.delete(tx, name)
    return _tell(tx, "tool_deleted", tool)


def get_(tx: Tx, name: str) -> Tool:
    """Get a tool by its name.

    Raises: NotFound.
    """
    found = store.find(tx, name)
    if found is None:
        raise unknown(name)
    return found


def list_(tx: Tx) -> Sequence[Tool]:
    """List a tenant's tools by name; there are two hundred at most."""
    return store.list_(tx, most=MOST)


def offered(tx: Tx, names: Sequence[str], *, preset: str) -> Sequence[Tool]:
    """Get the tools that a preset gives to a job.

    Raises: Conflict for one that is gone or switched off, naming the preset.
    """
    return [_offered(tx, name, preset) for name in names]


def _offered(tx: Tx, name: str, preset: str) -> Tool:
    tool = store.find(tx, name)
    if tool is not None and tool.is_enabled:
        return tool
    what = "and there is none" if tool is None else "which is switched off"
    mend = f"tool create {name}" if tool is None else f"tool set {name} --enabled"
    raise Conflict(
        f"the preset {preset} gives the tool {name}, {what}",
        fix=[mend, f"preset set {preset} --tools <the others>"],
        preset=preset,
    )


def _ours(tx: Tx, tool: Tool) -> Tool:
    return replace(checked(tool), author=tx.principal.name, changed_at=tx.now)


def _tell(tx: Tx, event: str, tool: Tool) -> Tool:
    tx.bump(COLLECTION)
    append(tx, event, target=tool.name)
    return tool
