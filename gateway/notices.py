"""Refusals that are told now and then: once a minute to each sender, then silence."""

import time
from collections.abc import Callable
from typing import NamedTuple

from core.delivery.model import InboxKey

EVERY_SECONDS = 60.0


class _Told(NamedTuple):
    """Who was told of what."""

    whose: InboxKey
    code: str


class Notices:
    """Remembers what each sender was told of, by the code of the refusal.

    Units:  `now` counts seconds; memory holds the senders of one minute.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: dict[_Told, float] = {}

    def is_due(self, key: InboxKey, code: str) -> bool:
        """Tell whether the sender of a message has not heard of this for a minute."""
        return self._now() >= self._until.get(_told(key, code), 0)

    def note(self, key: InboxKey, code: str) -> None:
        """Note that the sender is told of it now."""
        now = self._now()
        self._until = {who: until for who, until in self._until.items() if until > now}
        self._until[_told(key, code)] = now + EVERY_SECONDS


def _told(key: InboxKey, code: str) -> _Told:
    return _Told(key._replace(key=""), code)
