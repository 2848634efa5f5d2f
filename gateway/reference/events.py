"""Which events there are, read off the calls that append them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import core
import gateway

_ROOTS = (Path(core.__file__).parent, Path(gateway.__file__).parent)
# What appends an event, directly or as the last step of a feature's own helper.
_APPENDERS = frozenset({"append", "save", "tell", "_end", "_tell", "_save_status"})
# What names the events of several states, one of which such a call appends.
_TABLES = frozenset({"_ENDINGS", "_EVENTS"})
_TYPE = re.compile(r"[a-z]+(_[a-z]+)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """One type of event, the names in its details, and the module that appends it."""

    type: str
    details: tuple[str, ...]
    module: str


def event_entries() -> list[EventEntry]:
    """List all events of ours by type; a plugin or a person may append others."""
    found: dict[str, EventEntry] = {}
    paths = [path for root in _ROOTS for path in sorted(root.rglob("*.py"))]
    for path in paths:
        module = ".".join(path.relative_to(_ROOTS[0].parent).with_suffix("").parts)
        for event, details in _appended(ast.parse(path.read_text("utf-8"))):
            before = found[event].details if event in found else ()
            names = tuple(sorted({*before, *details}))
            found[event] = EventEntry(type=event, details=names, module=module)
    return [found[each] for each in sorted(found)]


def _appended(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        yield from _tabled(node)
        if isinstance(node, ast.Call) and _name_of(node.func) in _APPENDERS:
            names = [each.arg for each in node.keywords if each.arg]
            for argument in node.args:
                match argument:
                    case ast.Constant(value=str(event)) if _TYPE.fullmatch(event):
                        yield event, [name for name in names if name != "target"]


def _tabled(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """Read the table of events by state, if this is one."""
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values))
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(values=values))
        ) if name in _TABLES:
            for each in values:
                match each:
                    case ast.Constant(value=str(event)) if _TYPE.fullmatch(event):
                        yield event, []


def _name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
