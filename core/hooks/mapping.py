"""From a payload to the arguments of one fixed command; pure, and safe with any payload.

What a sender wrote can become the value of an argument and nothing else: there is no
line for it to break out of, and the command's name never comes from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.expressions import (
    STEPS_LIMIT,
    Budget,
    check_expression,
    check_template,
    fill,
    search,
)
from core.expressions.templates import has_found_nothing
from core.hooks.model import PayloadMap
from core.hooks.payloads import without_surroundings
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument

CALLS_LIMIT = 1_000
SAMPLE_LIMIT = 500
UNMATCHED = "the filter did not match"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A payload that asks for nothing, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One command that a rule makes of a payload, and the part of it that was looked at."""

    rule: PayloadMap
    args: dict[str, Json]
    source: Json


Calls = list[dict[str, Json]]
NamedCalls = list[tuple[str, dict[str, Json]]]


def check(payload_map: PayloadMap) -> None:
    """Refuse a map that could never work.

    Raises: InvalidArgument naming the argument, and what is wrong with its expression.
    """
    names = payload_map.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidArgument(
            f"the argument {twice[0]} is set twice", fix=["set it in one place"]
        )
    for name, expression in payload_map.arguments.items():
        check_expression(name, expression)
    for name, template in payload_map.templates.items():
        check_template(name, template)
    for name, expression in (
        ("filter", payload_map.filter),
        ("each", payload_map.each),
    ):
        if expression:
            check_expression(name, expression)


def passes(payload_map: PayloadMap, payload: Json, *, budget: Budget) -> bool:
    """Tell whether a map's filter lets a payload through; without one all pass.

    Raises: InvalidArgument when it cannot be applied to this payload.
    """
    if not payload_map.filter:
        return True
    return _is_true(search("filter", payload_map.filter, payload, budget=budget))


def extract(payload_map: PayloadMap, payload: Json) -> Calls | Skipped:
    """Work out the arguments of each call that a payload asks for.

    Shape:  one set of arguments, or one for each element that `each` finds. What an
            expression does not find is left out, so that the command's default counts.
    Units:  at most 1,000 calls.
    Raises: InvalidArgument when an expression cannot be applied to this payload.
    """
    found = extract_calls([payload_map], payload)
    return found if isinstance(found, Skipped) else [each.args for each in found]


def extract_calls(
    rules: Sequence[PayloadMap], payload: Json, *, budget: Budget | None = None
) -> list[Call] | Skipped:
    """Ask every rule what a payload means; it is skipped when none has a use for it.

    Shape:  all expressions of all rules share one budget.
    Units:  at most 1,000 calls of all rules together.
    Raises: InvalidArgument when an expression cannot be applied to this payload, and
            when there are more calls or more work than that.
    """
    calls: list[Call] = []
    shared = budget or Budget()
    reason = "this webhook only shows what it receives"
    for rule in rules:
        found = _sources(rule, payload, shared)
        if isinstance(found, Skipped):
            reason = found.reason
            continue
        _require_few(len(calls) + len(found))
        calls.extend(
            Call(rule=rule, args=_arguments(rule, source, shared), source=source)
            for source in found
        )
    return calls or Skipped(reason)


def extract_all(rules: Sequence[PayloadMap], payload: Json) -> NamedCalls | Skipped:
    """Name the command and the arguments of each call that a payload asks for.

    Raises: InvalidArgument when an expression cannot be applied to this payload.
    """
    calls = extract_calls(rules, payload)
    if isinstance(calls, Skipped):
        return calls
    return [(each.rule.command, each.args) for each in calls]


def require_found(call: Call, needed: Sequence[str], *, webhook: str) -> None:
    """Refuse a call whose expression found nothing for an argument it cannot do without.

    Shape:  what the sender wrote stands in `sample` alone, for the message goes where
            payloads may not be read.
    Raises: InvalidArgument naming the expression, with the beginning of what it looked
            at as `sample`.
    """
    for name in needed:
        expression = _hollow(call, name)
        if not expression:
            continue
        where = f" in what {webhook} received" if webhook else ""
        raise InvalidArgument(
            f"{expression[:80]!r} for {name} found nothing{where}",
            fix=[f"webhook show {webhook}", f"webhook deliveries {webhook}"],
            argument=name,
            expression=expression,
            sample=_shown(call.source),
        )


def _hollow(call: Call, name: str) -> str:
    """Give the expression or the template that found nothing for an argument, or "".

    What a template finds nothing for is left out of it; it is only hollow without any.
    """
    if name not in call.args:
        return call.rule.arguments.get(name, "")
    template = call.rule.templates.get(name, "")
    return template if has_found_nothing(template, str(call.args[name])) else ""


def _sources(
    payload_map: PayloadMap, payload: Json, budget: Budget
) -> list[Json] | Skipped:
    """Find the parts of a payload that the expressions of a map look at."""
    if not passes(payload_map, payload, budget=budget):
        return Skipped(UNMATCHED)
    if not payload_map.each:
        return [payload]
    # The list is only gone through here: how much is in it, the budget says alone.
    found = search("each", payload_map.each, payload, budget=budget, most=STEPS_LIMIT)
    if found is None or found == []:
        return Skipped("each found nothing")
    if not isinstance(found, list):
        raise InvalidArgument("each did not find a list", fix=["check --each"])
    return found


def _require_few(count: int) -> None:
    """Refuse to make more commands of one delivery than it may become.

    Raises: InvalidArgument.
    """
    if count > CALLS_LIMIT:
        raise InvalidArgument(
            f"this would be {count:,} commands, and one delivery becomes "
            f"{CALLS_LIMIT:,} at most",
            fix=[
                f"in Alertmanager, group by more labels or set max_alerts: {CALLS_LIMIT}",
                f"webhook set with a narrower each, such as alerts[:{CALLS_LIMIT}]",
            ],
            argument="each",
        )


def _shown(source: Json) -> str:
    """Write the beginning of what a sender wrote."""
    text = canonical_json(without_surroundings(source)).decode()
    return text if len(text) <= SAMPLE_LIMIT else text[: SAMPLE_LIMIT - 1] + "…"


def _arguments(
    payload_map: PayloadMap, payload: Json, budget: Budget
) -> dict[str, Json]:
    picked = {
        name: search(name, expression, payload, budget=budget)
        for name, expression in payload_map.arguments.items()
    }
    filled: dict[str, Json] = {
        name: fill(name, template, payload, budget=budget)
        for name, template in payload_map.templates.items()
    }
    found = {name: value for name, value in picked.items() if value is not None}
    return {**payload_map.fixed, **filled, **found}


def _is_true(value: Json) -> bool:
    """JMESPath's own idea of truth: nothing, false and what is empty are not."""
    return value is not None and value is not False and value not in ("", [], {})
