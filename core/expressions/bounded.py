"""Evaluates JMESPath within a budget, however the expression is made.

`[@,@][]` doubles a list in seven characters, and `[@,@]` names one twice for a function
to write out. So each value that is looked at counts, and what a function, a comparison or
a flattening would look at inside of its values is counted before it begins.
"""

from collections.abc import Callable, Mapping, Sequence
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
        self.COMPARATOR_FUNC = {
            sign: _counted(budget, compare)
            for sign, compare in TreeInterpreter.COMPARATOR_FUNC.items()
        }

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one part of an expression on one value, the first of `args`."""
        self._budget.spend(1)
        return super().visit(node, *args, **kwargs)

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


def _counted(
    budget: Budget, compare: Callable[[Any, Any], Any]
) -> Callable[[Any, Any], Any]:
    """Count what a comparison looks at: no more than the smaller side has."""

    def compared(left: Any, right: Any) -> Any:
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            budget.spend_on(left)
        else:
            budget.spend(min(width(left), width(right)))
        return compare(left, right)

    return compared


class _Counted(Functions):
    def __init__(self, budget: Budget) -> None:
        self._budget = budget

    def call_function(self, function_name: str, resolved_args: Sequence[Any]) -> Any:
        """Call a function whose arguments are worked out."""
        self._budget.spend(_CALL)
        _COSTS.get(function_name, _whole)(self._budget, resolved_args)
        return super().call_function(function_name, resolved_args)


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
