"""From a payload to the arguments of one fixed command; pure, and safe with any payload.

What a sender wrote can become the value of an argument and nothing else: there is no
line for it to break out of, and the command's name never comes from it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from core.hooks.model import PayloadMap
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument

EACH_LIMIT = 50
EXPRESSION_LIMIT = 300
TEMPLATE_LIMIT = 2_000
_NODES_LIMIT = 10_000

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A payload that asks for nothing, and why."""

    reason: str


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
        _check_expression(name, expression)
    for name, template in payload_map.templates.items():
        _check_template(name, template)
    for name, expression in (
        ("filter", payload_map.filter),
        ("each", payload_map.each),
    ):
        if expression:
            _check_expression(name, expression)


def extract(payload_map: PayloadMap, payload: Json) -> Calls | Skipped:
    """Work out the arguments of each call that a payload asks for.

    Shape:  one set of arguments, or one for each element that `each` finds. What an
            expression does not find is left out, so that the command's default counts.
    Units:  at most 50 calls.
    Raises: InvalidArgument when an expression cannot be applied to this payload.
    """
    if payload_map.filter and not _is_true(
        _search("filter", payload_map.filter, payload)
    ):
        return Skipped("the filter did not match")
    if not payload_map.each:
        return [_arguments(payload_map, payload)]
    found = _search("each", payload_map.each, payload)
    if found is None or found == []:
        return Skipped("each found nothing")
    if not isinstance(found, list):
        raise InvalidArgument("each did not find a list", fix=["check --each"])
    if len(found) > EACH_LIMIT:
        raise InvalidArgument(
            f"each found {len(found)} elements",
            fix=[f"send at most {EACH_LIMIT} in one delivery"],
        )
    return [_arguments(payload_map, element) for element in found]


def extract_all(rules: Sequence[PayloadMap], payload: Json) -> NamedCalls | Skipped:
    """Ask every rule what a payload means; it is skipped when none has a use for it.

    Raises: InvalidArgument when an expression cannot be applied to this payload.
    """
    calls: NamedCalls = []
    reason = "this webhook only shows what it receives"
    for rule in rules:
        found = extract(rule, payload)
        if isinstance(found, Skipped):
            reason = found.reason
        else:
            calls.extend((rule.command, args) for args in found)
    return calls or Skipped(reason)


def _arguments(payload_map: PayloadMap, payload: Json) -> dict[str, Json]:
    picked = {
        name: _search(name, expression, payload)
        for name, expression in payload_map.arguments.items()
    }
    filled: dict[str, Json] = {
        name: _fill(name, template, payload)
        for name, template in payload_map.templates.items()
    }
    found = {name: value for name, value in picked.items() if value is not None}
    return {**payload_map.fixed, **filled, **found}


def _search(name: str, expression: str, payload: Json) -> Json:
    try:
        return _checked(name, jmespath.search(expression, payload))
    except (JMESPathError, RecursionError, OverflowError) as fault:
        raise InvalidArgument(
            f"the expression for {name} cannot be applied to this payload",
            fix=[f"check {expression[:80]!r} with: webhook test"],
            argument=name,
        ) from fault


def _fill(name: str, template: str, payload: Json) -> str:
    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return _shown(_search(name, found[1], payload))

    return _PLACEHOLDER.sub(put, template)


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical_json(value).decode()


def _is_true(value: Json) -> bool:
    """JMESPath's own idea of truth: nothing, false and what is empty are not."""
    return value is not None and value is not False and value not in ("", [], {})


def _checked(name: str, value: Any) -> Json:
    """Return what an expression found when it is JSON of a sensible size.

    An expression may name the same part many times over, so that a few characters of
    it stand for more values than a computer holds: they are counted, not written out.
    """
    waiting: list[Any] = [value]
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > _NODES_LIMIT or not _is_json(node):
            raise InvalidArgument(
                f"the expression for {name} finds no value that can be used",
                fix=["pick one field of the payload"],
                argument=name,
            )
        waiting.extend(_parts(node))
    found: Json = value
    return found


def _is_json(node: Any) -> bool:
    match node:
        case None | bool() | str() | list() | dict():
            return True
        case int():
            return -(2**63) <= node < 2**63
        case float():
            return isfinite(node)
    return False


def _parts(node: Any) -> Iterable[Any]:
    if isinstance(node, Mapping):
        return node.values()
    return node if isinstance(node, list) else ()


def _check_expression(name: str, expression: str) -> None:
    if len(expression) > EXPRESSION_LIMIT:
        raise InvalidArgument(
            f"the expression for {name} has {len(expression)} characters",
            fix=[f"use at most {EXPRESSION_LIMIT}"],
            argument=name,
        )
    try:
        jmespath.compile(expression)
    except (JMESPathError, RecursionError) as fault:
        raise InvalidArgument(
            f"{expression[:80]!r} for {name} is not a JMESPath expression",
            fix=["write a path such as alert.labels.severity"],
            argument=name,
        ) from fault


def _check_template(name: str, template: str) -> None:
    if len(template) > TEMPLATE_LIMIT:
        raise InvalidArgument(
            f"the template for {name} has {len(template)} characters",
            fix=[f"use at most {TEMPLATE_LIMIT}"],
            argument=name,
        )
    for found in _PLACEHOLDER.finditer(template):
        if found[0] in ("{", "}"):
            raise InvalidArgument(
                f"the template for {name} has a lone {found[0]}",
                fix=["write {{ and }} for braces"],
                argument=name,
            )
        if found[1] is not None:
            _check_expression(name, found[1])
