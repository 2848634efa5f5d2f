"""What an expression begins with: the names that must be there for it to find anything."""

from collections.abc import Iterator
from typing import Any

import jmespath

# What follows in these looks at what the first part found, and not at the whole.
_STEPS = frozenset(
    {
        "subexpression",
        "index_expression",
        "pipe",
        "projection",
        "value_projection",
        "filter_projection",
        "flatten",
    }
)


def roots_of(expression: str) -> frozenset[str]:
    """Name the fields that an expression looks for in the whole of what it is given.

    Raises: JMESPathError when it is no expression.
    """
    return frozenset(_roots(jmespath.compile(expression).parsed))


def _roots(node: Any) -> Iterator[str]:
    kind, children = node["type"], node.get("children", [])
    if kind == "field":
        yield node["value"]
    # A reference such as &name is applied to the elements of a list.
    if kind == "expref":
        return
    for each in children[:1] if kind in _STEPS else children:
        if isinstance(each, dict):
            yield from _roots(each)
