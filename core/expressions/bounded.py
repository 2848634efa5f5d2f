"""Evaluates JMESPath in a bounded number of steps, however the expression is made.

`[@,@][]` doubles a list in seven characters, so that a short expression could ask for
more values than a computer holds. Each step counts what it looks at.
"""

from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from core.kernel.jsons import Json

STEPS_LIMIT = 500_000
_CHARACTERS_A_STEP = 100


class TooManySteps(JMESPathError):
    """An expression looks at more values than it may."""


def search_bounded(expression: str, payload: Json) -> Any:
    """Return what an expression finds; None for nothing.

    Units:  at most 500,000 steps; a list counts as often as it is looked at with all
            its elements, a text with each 100 of its characters.
    Raises: JMESPathError when it cannot be applied, TooManySteps among them.
    """
    return _Bounded().visit(jmespath.compile(expression).parsed, payload)


class _Bounded(TreeInterpreter):
    def __init__(self) -> None:
        super().__init__()
        self._left = STEPS_LIMIT

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate one part of an expression on one value, the first of `args`."""
        self._left -= 1 + _size(args[0])
        if self._left < 0:
            raise TooManySteps
        return super().visit(node, *args, **kwargs)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // _CHARACTERS_A_STEP
    return len(value) if isinstance(value, list | dict) else 0
