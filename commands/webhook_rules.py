"""What a new webhook is to do, from a preset, a list of rules or one command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from commands.context import Context
from commands.schema import Doc
from commands.webhook_maps import require_possible
from core.hooks.model import HookAuth, PayloadMap
from core.hooks.presets import PRESETS, PresetName
from core.kernel.problems import InvalidArgument

Arguments = Annotated[
    dict[str, str] | None, Doc("An argument's name to a JMESPath expression.")
]
Fixed = Annotated[dict[str, Any] | None, Doc("An argument's name to its value.")]
Templates = Annotated[
    dict[str, str] | None, Doc("An argument's name to text with {expression}.")
]
Filter = Annotated[str, Doc("JMESPath that must find something true.")]
Each = Annotated[str, Doc("JMESPath to a list; one command per element.")]
Rules = Annotated[
    Sequence[dict[str, Any]], Doc("Several commands with such mappings each.")
]

_OF_ONE_COMMAND = ("arguments", "fixed", "templates", "filter", "each")


class Rule(BaseModel):
    """One rule as it is written by hand."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    command: str
    arguments: dict[str, str] = Field(default_factory=dict)
    fixed: dict[str, Any] = Field(default_factory=dict)
    templates: dict[str, str] = Field(default_factory=dict)
    filter: str = ""
    each: str = ""

    def to_map(self) -> PayloadMap:
        """Turn it into what an endpoint keeps."""
        return PayloadMap(
            command=self.command.replace(".", " "),
            arguments=self.arguments,
            fixed=self.fixed,
            templates=self.templates,
            filter=self.filter,
            each=self.each,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for; only what was given counts.

    Shape:  `own` is the one command with its mapping, None when no command was given.
    """

    own: PayloadMap | None
    rules: Sequence[Mapping[str, Any]]
    preset: PresetName | None
    auth: HookAuth


def chosen_rules(ctx: Context, wish: Wish) -> Sequence[PayloadMap]:
    """Work out the rules of a new webhook, each of them possible for its maker.

    Shape:  none at all is possible: it then keeps and shows what it receives.
    Raises: InvalidArgument for what cannot be meant together, and what
            `require_possible` refuses.
    """
    found = _rules(ctx, wish)
    for each in found:
        require_possible(ctx, each)
    return found


def chosen_auth(ctx: Context, wish: Wish) -> HookAuth:
    """Take the proof from the preset, unless it was named as well.

    Raises: InvalidArgument when the two differ.
    """
    if wish.preset is None:
        return wish.auth
    usual = PRESETS[wish.preset].auth
    if "auth" in ctx.given and wish.auth not in (usual, HookAuth.KEY):
        raise InvalidArgument(
            f"{wish.preset} does not sign as {wish.auth} does",
            fix=[f"--auth {usual}", f"--auth {HookAuth.KEY}", "leave --auth out"],
            argument="auth",
        )
    return wish.auth if "auth" in ctx.given else usual


def _rules(ctx: Context, wish: Wish) -> Sequence[PayloadMap]:
    if wish.own is not None and wish.rules:
        raise InvalidArgument(
            "a command and rules were given", fix=["put the command among the rules"]
        )
    if wish.own is not None:
        return [wish.own]
    stray = [each for each in _OF_ONE_COMMAND if each in ctx.given]
    if stray:
        raise InvalidArgument(
            f"--{stray[0]} belongs to a command, and none was given",
            fix=['--command "task create"'],
            argument="command",
        )
    if wish.rules:
        return [parse_rule(place, raw) for place, raw in enumerate(wish.rules, 1)]
    return PRESETS[wish.preset].rules if wish.preset else ()


def parse_rule(place: int, raw: Mapping[str, Any]) -> PayloadMap:
    """Read one rule, the `place`-th of a list.

    Raises: InvalidArgument naming the field that does not fit.
    """
    try:
        return Rule.model_validate(raw).to_map()
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidArgument(
            f"rule {place} does not fit at {where[:80]!r}: {first['msg']}",
            fix=['{"command":"task create","templates":{"title":"{name}"}}'],
            argument="rules",
        ) from fault
