"""What an alias may stand for: checked when it is made, with values made up for it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from commands import bus
from commands.alias_lines import has_meaning, is_claimed, why_not
from commands.alias_templates import (
    Filled,
    Template,
    Value,
    as_written,
    fill,
    parse_template,
    slots_in,
    unfilled,
)
from commands.binder import bind_filled, read_tokens
from commands.context import Context
from commands.names import Index, index_of, suggestions
from commands.plan import Plan
from commands.schema import Kind, Parameter
from commands.values import Caller
from commands.words import shown
from core.aliases.formats import Pattern, Slot, parse_format
from core.aliases.model import Definition
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument, UnknownCommand

_SAMPLES: Mapping[Kind, str] = {
    Kind.TEXT: "text",
    Kind.INTEGER: "1",
    Kind.NUMBER: "1",
    Kind.FLAG: "true",
    Kind.TIME: "2026-01-01T00:00Z",
    Kind.DURATION: "15m",
    Kind.OBJECT: "{}",
    Kind.PERSON: "ann",
}
# Consent is given by who makes the alias, and a version is true for a moment.
_NEVER_FIXED = ("confirm", "if_match", "yes")


def require_possible(ctx: Context, definition: Definition) -> None:
    """Refuse an alias of what does not exist, or is more than its maker may do.

    Raises: UnknownCommand, UnknownFlag, MissingScope, InvalidArgument.
    """
    index = index_of(ctx.registry)
    template = parse_template(definition.command)
    patterns = [parse_format(each.match) for each in definition.formats]
    for each, pattern in zip(definition.formats, patterns, strict=True):
        _require_free(index, pattern)
        _require_slots(each.match, pattern, template)
    plan, used = _plan(index, template)
    bus.authorise(plan.command, ctx.principal)
    for name in _NEVER_FIXED:
        if name in definition.fixed and name in plan.globals:
            raise InvalidArgument(
                f"{name} cannot be fixed in an alias",
                fix=["whoever uses it says it"],
                argument="fixed",
            )
    trial = _Trial(
        plan=plan,
        used=used,
        template=template,
        fixed=definition.fixed,
        asker=Caller(ctx.tx.now, ctx.origin.timezone, ctx.principal.name),
    )
    for pattern in patterns:
        trial.require_binding(pattern.slots)


def claimant_of(index: Index, word: str) -> str:
    """Name a command that a first word begins, "" when it begins none."""
    if not is_claimed(index, word):
        return ""
    begun = (phrase for phrase in index.phrases if phrase.partition(" ")[0] == word)
    named = next(begun, None)
    return index.phrases[named].command.name if named else word


def _require_free(index: Index, pattern: Pattern) -> None:
    if has_meaning(pattern.first) and pattern.first not in index.starts:
        raise InvalidArgument(
            f'"{pattern.first}" by itself means something already, so no alias may begin with it',
            fix=['--match "deploy {app}"', "alias list"],
            argument="match",
        )
    if name := claimant_of(index, pattern.first):
        raise InvalidArgument(
            f'"{pattern.first}" begins the command {name}, so no alias may begin with it',
            fix=["begin with another word", f"help {name}"],
            argument="match",
            command=name,
        )


def _require_slots(match: str, pattern: Pattern, template: Template) -> None:
    """Each slot is used, and what is used has a slot."""
    known = [each.name for each in pattern.slots]
    for name in known:
        if name not in template.slots:
            raise InvalidArgument(
                f"{{{name}}} of {match!r} is not used by the command",
                fix=[f"put {{{name}}} into --command, or take it out of --match"],
                argument="command",
            )
    for name in template.slots:
        if name not in known:
            raise InvalidArgument(
                f"{match!r} has no {{{name}}}, which the command uses",
                fix=[f"put {{{name}}} or {{{name}=default}} into each --match"],
                argument="match",
            )


def _plan(index: Index, template: Template) -> tuple[Plan, int]:
    found = index.find(template.tokens)
    if found is None:
        words = [as_written(each.text).lower() for each in template.tokens[:2]]
        close = suggestions(index, words)
        raise UnknownCommand(
            f"{shown(' '.join(words))} is not a command",
            fix=close or ["help"],
            suggestions=close,
        )
    if reason := why_not(found[0].command):
        raise InvalidArgument(
            f"{found[0].command.name} {reason}, so no alias may stand for it",
            fix=["choose another command"],
            argument="command",
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """One command with values made up for its slots."""

    plan: Plan
    used: int
    template: Template
    fixed: Mapping[str, Json]
    asker: Caller

    def require_binding(self, slots: Sequence[Slot]) -> None:
        """Refuse what the definition itself says wrong.

        What is made up may not fit an argument that a real value would.
        """
        fed = self._fed()
        values = {each.name: _sample(each, fed.get(each.name)) for each in slots}
        filled = fill(self.template, values, self.plan)
        made_up = {fed[each.name].name for each in slots if each.name in fed}
        try:
            bind_filled(
                self.plan,
                filled.text,
                filled.tokens,
                self.fixed,
                used=self.used,
                caller=self.asker,
            )
        except InvalidArgument as problem:
            if problem.extra.get("argument") not in made_up - self.fixed.keys():
                raise

    def _fed(self) -> Mapping[str, Parameter]:
        """Find the parameter that each slot feeds, by reading every value as a text."""
        plan = replace(
            self.plan,
            named=_as_texts(self.plan.named.items()),
            spelled=_as_texts(self.plan.spelled.items()),
            positional=[_as_text(each) for each in self.plan.positional],
        )
        # What is wrong with the line itself is told in its own words, not in marks.
        self._read(fill(self.template, _by_name(self.template), plan), plan)
        values = self._read(unfilled(self.template, plan), plan)
        return {
            slot: self.plan.named[name]
            for name, value in values.items()
            for slot in slots_in(value)
        }

    def _read(self, line: Filled, plan: Plan) -> Mapping[str, object]:
        return read_tokens(
            plan, line.text, line.tokens, used=self.used, caller=self.asker
        )


def _by_name(template: Template) -> Mapping[str, Value]:
    return {name: Value(name) for name in template.slots}


def _as_texts(named: Iterable[tuple[str, Parameter]]) -> dict[str, Parameter]:
    return {name: _as_text(each) for name, each in named}


def _as_text(parameter: Parameter) -> Parameter:
    is_switch = parameter.kind is Kind.FLAG
    return parameter if is_switch else replace(parameter, kind=Kind.TEXT)


def _sample(slot: Slot, parameter: Parameter | None) -> Value:
    if slot.default is not None or parameter is None:
        return Value(slot.default or "text")
    if parameter.choices:
        return Value(parameter.choices[0])
    if parameter.kind is Kind.REF:
        return Value(f"{parameter.prefix or 'T'}-1")
    return Value(_SAMPLES[parameter.kind])
