"""How much expressions may do together, counted before it is done.

An expression may name the same part many times over, so that a few characters stand for
more values than a computer holds. What would be written out is counted first, each value
as often as it is named, and counting stops where the budget ends.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jmespath.exceptions import JMESPathError

STEPS_LIMIT = 500_000
CHARACTERS_A_STEP = 25


class TooMuchWork(JMESPathError):
    """Expressions look at more than they may together."""


class Budget:
    """The steps that all expressions of one delivery, event, text or preview share.

    Shape:  what is spent is gone, and `within` another budget it is gone from that as
            well. `trees` are the expressions that were read, so that each is read once.
    Units:  500,000 steps unless said otherwise, a second of work at worst: a value that
            is looked at is one, and so are 25 characters of a text.
    """

    def __init__(
        self, steps: int = STEPS_LIMIT, *, within: "Budget | None" = None
    ) -> None:
        self._left = steps
        self._within = within
        self.trees: dict[str, Any] = within.trees if within else {}

    def spend(self, steps: int) -> None:
        """Take steps off.

        Raises: TooMuchWork when there are not so many left.
        """
        self._left -= steps
        if self._left < 0:
            raise TooMuchWork
        if self._within is not None:
            self._within.spend(steps)

    def spend_on(self, value: Any, *, growth: int = 1) -> None:
        """Take off what it takes to write a value out with all that is in it.

        Units:  `growth` is how many characters one may become.
        Raises: TooMuchWork.
        """
        waiting = [value]
        while waiting:
            node = waiting.pop()
            self.spend(1 + width(node, growth=growth))
            waiting.extend(_parts(node))


def width(value: Any, *, growth: int = 1) -> int:
    """Count the steps that a value costs beside one, without what is in its parts."""
    if isinstance(value, str):
        return len(value) * growth // CHARACTERS_A_STEP
    return len(value) if isinstance(value, list | Mapping) else 0


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()
