"""The shapes of what alias commands answer, and how they are filled in."""

from collections.abc import Mapping, Sequence
from typing import Any

from typing_extensions import TypedDict

from commands.alias_checks import claimant_of
from commands.alias_lines import why_not
from commands.alias_templates import parse_template
from commands.names import Index, disabled_by, leading_words
from core.aliases.formats import parse_format
from core.aliases.model import Alias, Definition
from core.kernel.clock import to_iso
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument


class FormatData(TypedDict):
    """One way to write an alias."""

    display: str
    match: str


class AliasData(TypedDict):
    """An alias; `problem` says why nobody is understood who says it, "" if they are."""

    name: str
    formats: list[FormatData]
    command: str
    fixed: dict[str, Any]
    ack: str
    result: str
    description: str
    created_by: str
    created_at: str
    problem: str


class AliasPageData(TypedDict):
    """All aliases by name."""

    items: list[AliasData]
    next: str | None


class AliasTestData(TypedDict):
    """What a line would be understood as; `line` is what would run, "" for nothing.

    `ack` is what would be said, `result` the text that its answer is put into.
    """

    text: str
    alias: str
    format: str
    values: dict[str, str]
    line: str
    fixed: dict[str, Any]
    ack: str
    result: str
    nearest: list[str]


def view_of(alias: Alias, index: Index) -> dict[str, Json]:
    """Show an alias, and what is in its way."""
    definition = alias.definition
    return {
        "name": alias.name,
        "formats": [
            {"display": each.shown, "match": each.match} for each in definition.formats
        ],
        "command": definition.command,
        "fixed": dict(definition.fixed),
        "ack": definition.ack,
        "result": definition.result,
        "description": definition.description,
        "created_by": alias.created_by,
        "created_at": to_iso(alias.created_at),
        "problem": problem_of(definition, index),
    }


def problem_of(definition: Definition, index: Index) -> str:
    """Say why lines of an alias are not understood as such; "" when they are."""
    try:
        firsts = [parse_format(each.match).first for each in definition.formats]
        tokens = parse_template(definition.command).tokens
    except InvalidArgument as problem:
        return problem.detail
    for first in firsts:
        if claimant := claimant_of(index, first):
            return f"shadowed by the command {claimant}"
    found = index.find(tokens)
    if found is None:
        disabled = disabled_by(index, leading_words(tokens))
        return disabled.detail if disabled else "its command does not exist here"
    reason = why_not(found[0].command)
    return f"its command {reason}" if reason else ""


def written(definition: Definition) -> str:
    """Write how an alias is said, a format on a line."""
    return "\n".join(each.shown for each in definition.formats)


def settings_of(definition: Definition) -> Sequence[tuple[str, str]]:
    """List what an alias says beside its command, for people."""
    told = (
        ("description", definition.description),
        ("ack", definition.ack),
        ("result", definition.result),
    )
    return [(name, text) for name, text in told if text]


def fixed_line(fixed: Mapping[str, Json]) -> str:
    """Write what is fixed for people: `dry_run=true`."""
    return ", ".join(f"{name}={_plain(value)}" for name, value in fixed.items())


def _plain(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
