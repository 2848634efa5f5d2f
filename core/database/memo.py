"""Remembers immutable values that were read, by a key that names their version."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")

_MOST_VALUES = 4_096


class Memo:
    """A bounded memory that reads share.

    Shape:  a key must determine its value for ever, as (id, version) does; only
            committed state may be put in. When it is full, the older half is dropped.
    """

    def __init__(self) -> None:
        self._values: dict[Hashable, Any] = {}

    def get(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return the value of a key, built at its first use."""
        found: Value | None = self._values.get(key)
        if found is not None:
            return found
        value = build()
        if len(self._values) >= _MOST_VALUES:
            self._values = dict(list(self._values.items())[_MOST_VALUES // 2 :])
        self._values[key] = value
        return value
