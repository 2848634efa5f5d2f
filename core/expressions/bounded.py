"""Evaluates JMESPath within a budget, however the expression is made.

`[@,@][]` doubles a list in seven characters, and `[@,@]` names one twice for a function
to write out. So each value that is looked at counts, and what a function, a comparison or
a flattening would look at inside of its values is counted before it begins.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import jmespath
from jmespath.functions import Functions
from jmespath.visitor import Options, TreeInterpreter

from core.expressions.budget import Budget, width
from core.kernel.jsons import Json

# What calling a function costs by itself, in values that could be looked at meanwhile.
_CALL = 5
# An escape of JSON for one character of the higher planes has so many.
_LONGEST_ESCAPE = 12

Cost = Callable[[Budget, Sequence[Any]], None]


def search_bounded(expression: str, payload: Json, budget: Budget) -> Any:
    """Return what an expression finds; None for nothing.

    Raises: JMESPathError when it cannot be applied, TooMuchWork among them, and what
            Python raises for values that it cannot compare.
    """
    budget.spend(1)
    if expression not in budget.trees:
        budget.spend(len(expression))
        budget.trees[expression] = jmespath.compile(expression).parsed
    return _Bounded(budget).visit(budget.trees[expression], payload)


class _Bounded(TreeInterpreter):
    def __init__(self, budget: Budget) -> None:
        super().__init__(Options(custom_functions=_Counted(budget)))
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one part of an expression on one value, the first of `args`."""
        self._budget.spend(1)
        return super().visit(node, *args, **kwargs)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Compare two values, which costs no more than the smaller side has."""
        left, right = (self.visit(each, value) for each in node["children"])
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            self._budget.spend_on(left)
        else:
            self._budget.spend(min(width(left), width(right)))
        known: Any = {**node, "children": [_literal(left), _literal(right)]}
        return super().visit_comparator(known, value)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        """Join the lists in a list; inner ones may be one list many times over."""
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        merged: list[Any] = []
        for element in base:
            inner = element if isinstance(element, list) else [element]
            self._budget.spend(1 + len(inner))
            merged.extend(inner)
        return merged

    def visit_slice(self, node: Any, value: Any) -> Any:
        """Copy a part of a list."""
        self._budget.spend(width(value))
        return super().visit_slice(node, value)


def _literal(value: Any) -> dict[str, Any]:
    """Write a value that is known as a part of an expression."""
    return {"type": "literal", "value": value, "children": []}


class _Counted(Functions):
    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """Call a function whose arguments are worked out."""
        args = list(resolved_args)
        self._budget.spend(_CALL)
        _COSTS.get(function_name, _whole)(self._budget, args)
        return super().call_function(function_name, args)


def _nothing(budget: Budget, args: Sequence[Any]) -> None:
    """Count nothing for what looks at no part of its values."""


def _shallow(budget: Budget, args: Sequence[Any]) -> None:
    """Count what copies its values without what is in their parts."""
    budget.spend(sum(map(width, args)))


def _whole(budget: Budget, args: Sequence[Any]) -> None:
    for each in args:
        budget.spend_on(each)


def _escaped(budget: Budget, args: Sequence[Any]) -> None:
    """Count a value as it is written in JSON; a text is given back as it is."""
    for each in args:
        if not isinstance(each, str):
            budget.spend_on(each, growth=_LONGEST_ESCAPE)


def _joined(budget: Budget, args: Sequence[Any]) -> None:
    """Count the separator as often as it is written."""
    _whole(budget, args)
    if len(args) > 1 and isinstance(args[1], list):
        budget.spend(width(args[0]) * len(args[1]))


_COSTS: Mapping[str, Cost] = {
    **dict.fromkeys(("length", "not_null", "to_array", "type"), _nothing),
    **dict.fromkeys(
        ("keys", "map", "max_by", "merge", "min_by", "reverse", "sort_by", "values"),
        _shallow,
    ),
    "join": _joined,
    "to_string": _escaped,
}
