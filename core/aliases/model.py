"""What an alias is: a team's own words for one command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.aliases.clashes import find_common, find_double
from core.aliases.formats import parse_format
from core.expressions import check_template
from core.expressions.roots import roots_of
from core.expressions.templates import expressions_in
from core.kernel.jsons import Json
from core.kernel.names import require_name
from core.kernel.problems import AlreadyExists, InvalidArgument, NotFound
from core.kernel.texts import require_line, require_text

COMMAND_LIMIT = 1_000
DESCRIPTION_LIMIT = 300
FORMATS_LIMIT = 10
TOLD = frozenset({"args", "data", "summary", "status", "actor"})


class AliasClash(AlreadyExists):
    """Two formats accept one line, so nobody could tell what it means."""

    code = "alias_clash"
    title = "Two formats accept one line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One way to write an alias; `display` is how it is shown, `match` what it is."""

    match: str
    display: str = ""

    @property
    def shown(self) -> str:
        """How people are told to write it."""
        return self.display or self.match


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What somebody says an alias is.

    Shape:  `command` is a line with `{slot}` where values go; `fixed` sets arguments
            and global flags whatever the line says. `ack` is told while the command
            runs, `result` once it has; both are texts with `{expression}` over the
            slots and TOLD, "" for none.
    """

    formats: Sequence[Format]
    command: str
    fixed: Mapping[str, Json] = field(default_factory=dict)
    ack: str = ""
    result: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """A definition under its name."""

    name: str
    definition: Definition
    created_by: str
    created_at: datetime


def parse_name(text: str) -> str:
    """Read an alias's name.

    Raises: InvalidArgument.
    """
    return require_name("an alias", text, such_as="deploy")


def check(definition: Definition) -> None:
    """Refuse a definition that means nothing, or too much, by itself.

    Raises: InvalidArgument; AliasClash when two of its formats accept one line.
    """
    if not 1 <= len(definition.formats) <= FORMATS_LIMIT:
        raise InvalidArgument(
            f"an alias has {len(definition.formats)} formats",
            fix=[f"give --match 1 to {FORMATS_LIMIT} times"],
            argument="match",
        )
    for each in definition.formats:
        _check_format(each)
    require_text("command", definition.command, limit=COMMAND_LIMIT, least=1)
    require_line(
        "description", definition.description, limit=DESCRIPTION_LIMIT, least=0
    )
    for name, text in (("ack", definition.ack), ("result", definition.result)):
        check_template(name, text)
        _require_known(name, text, definition.formats)
    for number, one in enumerate(definition.formats):
        for other in definition.formats[number + 1 :]:
            _require_apart(one.match, other.match, names=("this alias", "itself"))


def slots_of(formats: Sequence[Format]) -> frozenset[str]:
    """Name the slots that any format has."""
    patterns = (parse_format(each.match) for each in formats)
    return frozenset(each.name for pattern in patterns for each in pattern.slots)


def require_apart(
    name: str, definition: Definition, others: Sequence[tuple[str, Definition]]
) -> None:
    """Refuse a definition that takes a line which another alias has.

    Raises: AliasClash naming both formats, and a line that both accept.
    """
    for other, known in others:
        for one in definition.formats:
            for each in known.formats:
                _require_apart(one.match, each.match, names=(name, other))


def unknown(name: str) -> NotFound:
    """Say that there is no such alias."""
    return NotFound(f"the alias {name[:40]}", fix=["alias list"])


def _require_known(name: str, text: str, formats: Sequence[Format]) -> None:
    """Refuse a text that asks for what no answer ever has."""
    slots = slots_of(formats)
    for expression in expressions_in(text):
        for root in sorted(roots_of(expression) - slots - TOLD):
            raise InvalidArgument(
                f"{{{expression[:80]}}} of the {name} asks for {root[:40]!r}, which is "
                f"neither a slot nor one of {', '.join(sorted(TOLD))}",
                fix=[f"use {{{each}}}" for each in (*sorted(slots)[:3], "data.id")],
                argument=name,
            )


def _check_format(each: Format) -> None:
    require_line("display", each.display, limit=DESCRIPTION_LIMIT, least=0)
    double = find_double(parse_format(each.match))
    if double:
        raise InvalidArgument(
            f"{each.match!r} can read {double!r} in two ways",
            fix=["leave out one of its optional parts"],
            argument="match",
        )


def _require_apart(one: str, other: str, *, names: tuple[str, str]) -> None:
    common = find_common(parse_format(one), parse_format(other))
    if common:
        raise AliasClash(
            f"{one!r} of {names[0]} and {other!r} of {names[1]} both accept {common!r}",
            fix=["begin one of them with another word", "alias list"],
            example=common,
        )
