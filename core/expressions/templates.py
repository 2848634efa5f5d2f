"""Texts with `{expression}` in them: no loops and no code, one value for each place."""

import re
from collections.abc import Sequence

from core.expressions.budget import Budget, TooMuchWork
from core.expressions.search import check_expression, search, too_much
from core.kernel.jsons import Json, canonical_json
from core.kernel.problems import InvalidArgument

TEMPLATE_LIMIT = 2_000

# How much of a text is gone through in the time that it takes to look at one value.
_CHARACTERS_A_STEP = 4

_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def fill(
    name: str, template: str, payload: Json, *, budget: Budget | None = None
) -> str:
    """Put what the expressions find into a text; what they find is never read again.

    Shape:  `{{` and `}}` stand for braces; what is not found leaves nothing. All
            expressions share `budget`, or one of the text's own.
    Raises: InvalidArgument when an expression cannot be applied to this payload, or
            would look at more than the budget has.
    """
    shared = budget or Budget()
    try:
        shared.spend(len(template) // _CHARACTERS_A_STEP)
    except TooMuchWork as fault:
        raise too_much(name, template) from fault

    def put(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return _shown(search(name, found[1], payload, budget=shared))

    return _PLACEHOLDER.sub(put, template)


def expressions_in(template: str) -> Sequence[str]:
    """List the expressions of a text, in their order."""
    return [found[1] for found in _PLACEHOLDER.finditer(template) if found[1]]


def has_found_nothing(template: str, filled: str) -> bool:
    """Tell whether a text has expressions, and none of them put anything into it."""
    bare = _PLACEHOLDER.sub(
        lambda found: "" if found[1] is not None else found[0][0], template
    )
    return filled == bare and bool(expressions_in(template))


def check_template(name: str, template: str) -> None:
    """Refuse a text that could never be filled in.

    Raises: InvalidArgument naming what it is for, and what is wrong with it.
    """
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
            check_expression(name, found[1])


def _shown(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else canonical_json(value).decode()
