"""Remembers immutable values that were read, by a key that names their version."""

from collections.abc import Hashable

_MOST_VALUES = 4_096


class Memo:
    """A bounded memory that reads share.

    Shape:  a key must determine its value for ever, as (id, version) does; only
            committed state may be put in. When it is full, the older half is dropped.
    """

    def __init__(self) -> None:
        self._values: dict[Hashable, object] = {}

    def find(self, key: Hashable) -> object:
        """Return the value of a key, None when it was never kept or has been dropped."""
        return self._values.get(key)

    def keep(self, key: Hashable, value: object) -> None:
        """Remember a value."""
        if len(self._values) >= _MOST_VALUES:
            self._values = dict(list(self._values.items())[_MOST_VALUES // 2 :])
        self._values[key] = value
