"""What one JMESPath expression finds, guarded against what an expression can ask for."""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from core.expressions.bounded import search_bounded
from core.expressions.budget import Budget, TooMuchWork
from core.kernel.jsons import Json
from core.kernel.problems import InvalidArgument

EXPRESSION_LIMIT = 300
NODES_LIMIT = 10_000

# JMESPath checks the arguments of its functions and leaves comparisons to Python, so a
# text beside a number raises whatever Python raises. Its own errors are ValueErrors.
_FAULTS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def search(
    name: str,
    expression: str,
    payload: Json,
    *,
    budget: Budget | None = None,
    most: int = NODES_LIMIT,
) -> Json:
    """Return what an expression finds, None for nothing.

    Shape:  `name` is what the expression is for, as its author knows it. `budget` is
            what it shares with others; without one it has a whole one to itself.
    Units:  `most` counts values, those inside of others included.
    Raises: InvalidArgument when it cannot be applied to this payload, or would look at
            more than the budget has.
    """
    shared = budget or Budget()
    try:
        found = search_bounded(expression, payload, shared)
        shared.spend_on(found)
        return _checked(name, found, most)
    except TooMuchWork as fault:
        raise too_much(name, expression) from fault
    except _FAULTS as fault:
        raise InvalidArgument(
            f"the expression for {name} cannot be applied to this payload",
            fix=[f"check {expression[:80]!r} against a sample"],
            argument=name,
        ) from fault


def too_much(name: str, text: str) -> InvalidArgument:
    """Say at which expression or text the budget ended."""
    return InvalidArgument(
        f"the expression for {name} looks at more values than it may, together with "
        "those before it",
        fix=[f"narrow {text[:80]!r}", "send less at once"],
        argument=name,
    )


def check_expression(name: str, expression: str) -> None:
    """Refuse an expression that could never work.

    Raises: InvalidArgument naming what it is for, and what is wrong with it.
    """
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


def _checked(name: str, value: Any, most: int) -> Json:
    """Return what an expression found when it is JSON of a sensible size.

    An expression may name the same part many times over, so that a few characters of
    it stand for more values than a computer holds: they are counted, not written out.
    """
    waiting: list[Any] = [value]
    seen = 0
    while waiting:
        node = waiting.pop()
        seen += 1
        if seen > most or not _is_json(node):
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
