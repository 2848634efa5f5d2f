"""What binding needs to know of a command, and what it says when a name is unknown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_origin

from commands.flags import GLOBALS
from commands.registry import Command
from commands.schema import Parameter
from commands.suggest import nearest
from commands.words import is_echoable, shown
from core.kernel.problems import UnknownFlag

_GLOBAL_NAMES = frozenset(each.name for each in GLOBALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is worked out once for a command.

    Shape:  `named` holds its parameters and those global flags whose names it does
            not use itself, `spelled` the same under names and flags (`lane`, `--lane`);
            `globals` are the names of the latter. `tuples` name the
            lists that become tuples, and `help` is the line that explains it. Lines of
            a command that `has_secrets` are not repeated in answers.
    """

    command: Command
    named: Mapping[str, Parameter]
    spelled: Mapping[str, Parameter]
    globals: frozenset[str]
    positional: Sequence[Parameter]
    tuples: Sequence[str]
    help: Sequence[str]
    has_secrets: bool


def plan_of(command: Command) -> Plan:
    """Work out the plan of a command."""
    own = {each.name: each for each in command.parameters}
    named = {each.name: each for each in GLOBALS} | own
    return Plan(
        command=command,
        named=named,
        spelled=named | {each.flag: each for each in named.values()},
        globals=_GLOBAL_NAMES - own.keys(),
        positional=[each for each in command.parameters if each.is_positional],
        tuples=[
            each.name
            for each in command.parameters
            if each.is_list and get_origin(each.annotation) is not list
        ],
        help=(f"help {command.name}",),
        has_secrets=any(each.is_secret for each in command.parameters),
    )


def may_echo(plan: Plan, line: str) -> bool:
    """Tell whether a line of this command can be repeated in an answer."""
    return not plan.has_secrets and is_echoable(line)


def unknown_field(plan: Plan, name: str) -> UnknownFlag:
    """Refuse a JSON field that is no parameter, naming the nearest."""
    close = nearest(name, plan.named)
    return UnknownFlag(
        f"{plan.command.name} has no field {shown(name)}",
        fix=[f"name it {each}" for each in close] or plan.help,
        suggestions=close,
    )


def unknown_key(key: str, known: Sequence[str]) -> UnknownFlag:
    """Refuse a key beside a message's own ones."""
    return UnknownFlag(
        f"a message has no field {shown(key)}",
        fix=[f"use {', '.join(known)}; arguments stand inside of args"],
        suggestions=nearest(key, known),
    )


def unknown_flag(plan: Plan, key: str, *, before: str, after: str) -> UnknownFlag:
    """Refuse a flag, with the whole line as it may have been meant.

    `before` and `after` are what stands around the flag in the line.
    """
    flags = [each.flag for each in plan.named.values()]
    close = nearest(f"--{key.lstrip('-').lower()}", flags)
    lines = [f"{before}{each}{after}" for each in close]
    return UnknownFlag(
        f"{plan.command.name} has no flag {shown(key)}",
        fix=[line for line in lines if may_echo(plan, line)] or plan.help,
        suggestions=close,
    )
